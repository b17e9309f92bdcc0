#include "client/display.hpp"

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

}  // namespace

std::string displayable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    auto const [bytes, value] = first_character(text);
    if (!value || is_treacherous(*value)) {
      shown += replacement;
    } else if ((*value < 0x20 && *value != '\t') || *value == 0x7F) {
      shown += symbol_of(*value);
    } else {
      shown += bytes;
    }
    text.remove_prefix(bytes.size());
  }
  return shown;
}

}  // namespace chorus
