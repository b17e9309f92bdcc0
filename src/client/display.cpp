#include "client/display.hpp"

#include <cstdint>

namespace chorus {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

struct code_point {
  std::uint32_t value;
  std::size_t size;  ///< in bytes; 0 if it is not UTF-8
};

/// The first code point of a text that is not empty (RFC 3629).
code_point decode(std::string_view text) {
  auto const lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  std::size_t const size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {0, 0};
  std::uint32_t value = lead & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i != size; ++i) {
    auto const next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (next & 0x3F);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  auto const is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least[size] || value > 0x10FFFF || is_surrogate) return {0, 0};
  return {value, size};
}

bool is_within(std::uint32_t value, std::uint32_t first, std::uint32_t last) { return value >= first && value <= last; }

/// What a terminal could take for a command, a line break, or another order of the text.
bool is_treacherous(std::uint32_t value) {
  return is_within(value, 0x80, 0x9F) || is_within(value, 0x200E, 0x200F) || is_within(value, 0x2028, 0x202E) ||
         is_within(value, 0x2066, 0x2069) || value == 0x061C || value == 0xFEFF;
}

/// The symbol for a control character, U+2400 to U+2421.
std::string symbol_of(std::uint32_t control) {
  auto const index = control == 0x7F ? 0x21u : control;
  return {'\xe2', '\x90', static_cast<char>(0x80 + index)};
}

}  // namespace

std::string displayable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    auto const [value, size] = decode(text);
    if (size == 0 || is_treacherous(value)) {
      shown += replacement;
    } else if ((value < 0x20 && value != '\t') || value == 0x7F) {
      shown += symbol_of(value);
    } else {
      shown += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return shown;
}

}  // namespace chorus
