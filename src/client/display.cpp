#include "client/display.hpp"

#include <cstdint>
#include <fmt/format.h>

#include "client/utf8.hpp"

namespace chorus {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

bool is_within(char32_t value, char32_t first, char32_t last) { return value >= first && value <= last; }

/// What a terminal could take for a command, a line break, or another order of the text.
bool is_treacherous(char32_t value) {
  return is_within(value, 0x80, 0x9F) || is_within(value, 0x200E, 0x200F) || is_within(value, 0x2028, 0x202E) ||
         is_within(value, 0x2066, 0x2069) || value == 0x061C || value == 0xFEFF;
}

/// The symbol for a control character, U+2400 to U+2421.
std::string symbol_of(char32_t control) {
  auto const index = control == 0x7F ? 0x21u : control;
  return {'\xe2', '\x90', static_cast<char>(0x80 + index)};
}

bool is_control(char32_t value) { return (value < 0x20 && value != '\t') || value == 0x7F; }

/// The text, with what is not harmless as the functions say.
template <class Replace>
std::string replace_harmful(std::string_view text, Replace replace) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    auto const [bytes, value] = first_character(text);
    if (!value)
      shown += replacement;
    else if (is_treacherous(*value) || is_control(*value))
      shown += replace(*value);
    else
      shown += bytes;
    text.remove_prefix(bytes.size());
  }
  return shown;
}

}  // namespace

std::string displayable(std::string_view text) {
  return replace_harmful(
      text, [](char32_t value) { return is_control(value) ? symbol_of(value) : std::string(replacement); });
}

std::string displayable_json(std::string_view text) {
  return replace_harmful(text, [](char32_t value) {
    // Other controls than these stand in no JSON, and these between values only.
    auto const is_space = value == '\n' || value == '\r';
    return is_space ? std::string(" ") : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(value));
  });
}

}  // namespace chorus
