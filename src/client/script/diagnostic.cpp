#include "client/script/diagnostic.hpp"

#include <algorithm>
#include <boost/algorithm/hex.hpp>

#include "client/utf8.hpp"

namespace chorus::script {

namespace {

constexpr std::size_t longest_quote = 200;  // bytes
constexpr std::size_t note_width = 10;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t count_characters(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

/// What stands below `text` so that the next character is below the one that follows it.
std::string blank(std::string_view text) {
  std::string below;
  for (auto const c : text)
    if (!continues_character(c)) below += c == '\t' ? '\t' : ' ';
  return below;
}

std::string printable(std::string_view line) {
  std::string shown(line);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }, '?');
  return shown;
}

std::string escape_byte(char c) { return "\\x" + to_hex({&c, 1}); }

std::string escape(std::string_view character) {
  auto const c = character.front();
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '"' || c == '\\') return {'\\', c};
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return escape_byte(c);
  // Terminals obey U+0080 to U+009F, too.
  if (character.size() == 2 && character < "\xC2\xA0") return "\\u{" + to_hex(character.substr(1)) + "}";
  return std::string(character);
}

std::string cut_note(std::size_t bytes) { return "... (" + std::to_string(bytes) + " bytes)"; }

}  // namespace

std::string format(diagnostic const& what, source const& in) {
  auto const line = in.line(what.where.line);
  auto const before = line.substr(0, std::min(what.where.offset, line.size()));
  auto const number = std::to_string(what.where.line);
  auto const margin = std::string(number.size() + 3, ' ');
  auto text = in.name + ":" + number + ":" + std::to_string(count_characters(before) + 1) +
              ": error: " + printable(what.message) + "\n";
  text += "   " + number + " | " + printable(line) + "\n";
  text += margin + " | " + blank(before) + "^\n";
  for (auto const& [label, value] : what.notes) {
    text += std::string(label.size() < note_width ? note_width - label.size() : 0, ' ');
    text += label + ": ";
    for (auto const c : value) text += c == '\n' ? "\n" + std::string(note_width + 2, ' ') : std::string(1, c);
    text += '\n';
  }
  return text;
}

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t at = 0; at < text.size();) {
    if (at >= longest_quote && text.size() > longest_quote + 20) return quoted + "\"" + cut_note(text.size());
    auto const [bytes, code_point] = first_character(text.substr(at));
    quoted += code_point ? escape(bytes) : escape_byte(text[at]);
    at += bytes.size();
  }
  return quoted + "\"";
}

std::string quote_hex(std::string_view bytes) {
  constexpr auto longest = longest_quote / 2;
  auto const cut = bytes.size() > longest ? cut_note(bytes.size()) : "";
  return "hex:" + to_hex(bytes.substr(0, longest)) + cut;
}

std::string to_hex(std::string_view bytes) { return boost::algorithm::hex_lower(std::string(bytes)); }

}  // namespace chorus::script
