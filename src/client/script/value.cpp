#include "client/script/value.hpp"

#include <algorithm>
#include <boost/algorithm/hex.hpp>
#include <charconv>
#include <iterator>
#include <optional>

#include "client/utf8.hpp"

namespace chorus::script {

namespace {

std::optional<unsigned> parse_hex_number(std::string_view digits) {
  unsigned number = 0;
  auto const end = digits.data() + digits.size();
  auto const [rest, error] = std::from_chars(digits.data(), end, number, 16);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

/// Reads what is written piece by piece.
class reader {
 public:
  reader(std::string_view written, position where, notation in) : rest_(written), where_(where), notation_(in) {}

  bool at_end() const { return rest_.empty(); }

  /// If a variable stands here, its name.
  std::optional<std::string> variable() {
    if (!rest_.starts_with('$') || rest_.starts_with("$$")) return std::nullopt;
    auto const braced = rest_.starts_with("${");
    if (notation_ == notation::regex && !braced) return std::nullopt;
    auto const from = rest_.substr(braced ? 2 : 1);
    auto const length = static_cast<std::size_t>(
        std::distance(from.begin(), std::find_if_not(from.begin(), from.end(), is_name_character)));
    if (length == 0 || (braced && !from.substr(length).starts_with('}')))
      fail("expected a variable such as $name or ${name}; a dollar sign is written $$");
    std::string name(from.substr(0, length));
    skip(length + (braced ? 3 : 1));
    return name;
  }

  /// The next character, unescaped.
  std::string character() {
    if (notation_ != notation::regex && rest_.starts_with("$$")) return take(2), "$";
    if (notation_ == notation::regex && rest_.starts_with("\\/")) return take(2), "/";
    if (notation_ == notation::regex && rest_.starts_with('\\')) return take(2);
    if (notation_ == notation::quoted && rest_.starts_with('\\')) return escaped();
    return take(1);
  }

 private:
  [[noreturn]] void fail(std::string const& message) const { throw script_error(where_, message); }

  void skip(std::size_t bytes) {
    bytes = std::min(bytes, rest_.size());
    rest_.remove_prefix(bytes);
    where_.offset += bytes;
  }

  std::string take(std::size_t bytes) {
    std::string taken(rest_.substr(0, bytes));
    skip(bytes);
    return taken;
  }

  std::string escaped() {
    auto const kind = rest_.size() > 1 ? rest_[1] : ' ';
    if (kind == 'u') return code_point();
    if (kind == 'x') {
      auto const byte = parse_hex_number(rest_.substr(2, 2));
      if (!byte || rest_.size() < 4) fail("expected two hexadecimal digits, as in \\xff");
      skip(4);
      return {static_cast<char>(*byte)};
    }
    auto const plain = std::string_view("n\nt\t\"\"\\\\");
    auto const at = plain.find(kind);
    if (at == std::string_view::npos)
      fail("unknown escape; there are \\n, \\t, \\\", \\\\, \\u{1F3B9} (a character) and \\xff (a byte)");
    skip(2);
    return {plain[at + 1]};
  }

  std::string code_point() {
    auto const end = rest_.find('}');
    auto const number =
        rest_.starts_with("\\u{") && end != rest_.npos ? parse_hex_number(rest_.substr(3, end - 3)) : std::nullopt;
    if (!number || *number > 0x10FFFF || (*number >= 0xD800 && *number <= 0xDFFF))
      fail("expected a character by its number, as in \\u{1F3B9}");
    skip(end + 1);
    return narrow(std::wstring(1, static_cast<wchar_t>(*number)));
  }

  std::string_view rest_;
  position where_;
  notation notation_;
};

}  // namespace

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

text text::parse(std::string_view written, position where, notation in) {
  text parsed;
  parsed.where_ = where;
  std::string constant;
  for (reader from(written, where, in); !from.at_end();) {
    if (auto name = from.variable())
      parsed.add(std::exchange(constant, {}), std::move(*name));
    else
      constant += from.character();
  }
  parsed.add(std::move(constant));
  return parsed;
}

text& text::operator+=(text const& more) {
  runs_.insert(runs_.end(), more.runs_.begin(), more.runs_.end());
  return *this;
}

void text::repeat(std::size_t times) {
  for (auto& one : runs_) one.times *= times;
}

std::string text::expand(variables const& known, std::string (*change)(std::string const& value)) const {
  std::string whole;
  for (auto const& [pieces, times] : runs_) {
    std::string once;
    for (auto const& [constant, variable] : pieces) {
      once += constant;
      if (variable.empty()) continue;
      auto const& value = value_of(variable, known);
      once += change != nullptr ? change(value) : value;
    }
    whole.reserve(whole.size() + once.size() * times);
    for (std::size_t i = 0; i < times; ++i) whole += once;
  }
  return whole;
}

bool text::is_constant() const { return names().empty(); }

bool text::is_variable() const {
  // Where the value is empty, so is the text.
  auto const all = names();
  return all.size() == 1 && expand({{all.front(), {}}}).empty();
}

std::pair<std::string, text> text::split(char separator) const {
  std::pair<std::string, text> parts{{}, *this};
  if (empty()) return parts;
  auto& first = parts.second.runs_.front().pieces.front().constant;
  auto const at = first.find(separator);
  if (at == first.npos) return parts;
  parts.first = first.substr(0, at);
  first.erase(0, std::min(first.find_first_not_of(" \t", at + 1), first.size()));
  return parts;
}

std::vector<std::string> text::names() const {
  std::vector<std::string> found;
  for (auto const& one : runs_)
    for (auto const& [constant, variable] : one.pieces)
      if (!variable.empty()) found.push_back(variable);
  return found;
}

void text::add(std::string constant, std::string variable) {
  if (runs_.empty()) runs_.emplace_back();
  runs_.back().pieces.push_back({std::move(constant), std::move(variable)});
}

std::string const& text::value_of(std::string const& name, variables const& known) const {
  auto const found = known.find(name);
  if (found == known.end()) throw script_error(where_, "there is no variable $" + name + " here");
  return found->second;
}

std::string parse_hex(std::string_view written, position where) {
  try {
    return boost::algorithm::unhex(std::string(written));
  } catch (boost::algorithm::hex_decode_error const&) {
    throw script_error(where, "expected bytes of two hexadecimal digits each, as in hex:0a0b");
  }
}

}  // namespace chorus::script
