#include "protocol/name.hpp"

#include <cstdlib>
#include <memory>
#include <range/v3/algorithm/all_of.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/transform.hpp>
#include <utf8proc.h>

namespace chorus {

namespace {

constexpr utf8proc_int32_t zero_width_non_joiner = 0x200C;  // Persian needs it,
constexpr utf8proc_int32_t zero_width_joiner = 0x200D;      // and many an emoji this.

/// No character of the normal form comes of more than four, and none takes more than four bytes. What is longer is not
/// even normalized: that takes the square of the number of marks that follow each other.
constexpr std::size_t max_raw_size = max_name_length * 4 * 4;

/// What is left of a name before its number.
constexpr std::size_t max_numbered_length = max_name_length - 6;

std::uint8_t const* bytes_of(std::string_view text) { return reinterpret_cast<std::uint8_t const*>(text.data()); }

/// Calls `visit(code_point)` until that returns false. Returns how many bytes it accepted; nothing if what it saw is
/// not UTF-8.
template <class Visitor>
std::optional<std::size_t> walk(std::string_view text, Visitor visit) {
  std::size_t done = 0;
  while (done != text.size()) {
    auto const rest = text.substr(done);
    utf8proc_int32_t point = 0;
    auto const size = utf8proc_iterate(bytes_of(rest), static_cast<utf8proc_ssize_t>(rest.size()), &point);
    if (size <= 0) return std::nullopt;
    if (!visit(point)) break;
    done += static_cast<std::size_t>(size);
  }
  return done;
}

std::optional<std::string> map(std::string_view text, int options) {
  std::uint8_t* mapped = nullptr;
  auto const size = utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::unique_ptr<std::uint8_t, decltype(&std::free)> const owner(mapped, std::free);
  if (size < 0) return std::nullopt;
  return std::string(reinterpret_cast<char const*>(mapped), static_cast<std::size_t>(size));
}

bool is_white_space(utf8proc_int32_t point) { return utf8proc_category(point) == UTF8PROC_CATEGORY_ZS; }

bool may_be_in_a_name(utf8proc_int32_t point) {
  if (point == zero_width_non_joiner || point == zero_width_joiner) return true;
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return point != '[' && point != ']';
  }
}

bool has_outer_white_space(std::string_view text) {
  auto at_start = false;
  auto at_end = false;
  std::size_t length = 0;
  walk(text, [&](utf8proc_int32_t point) {
    at_end = is_white_space(point);
    if (length++ == 0) at_start = at_end;
    return true;
  });
  return at_start || at_end;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_given_name(std::string_view name) {
  constexpr std::string_view prefix = "user";
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         ranges::all_of(name.substr(prefix.size()), is_digit);
}

std::optional<std::string> normalize_name(std::string_view name) {
  if (name.size() > max_raw_size) return std::nullopt;
  auto normal = map(name, 0);
  if (!normal) return std::nullopt;
  std::size_t length = 0;
  auto const accepted =
      walk(*normal, [&](utf8proc_int32_t point) { return ++length <= max_name_length && may_be_in_a_name(point); });
  if (accepted != normal->size()) return std::nullopt;
  // In the key nothing hides what is at an end.
  auto const key = name_key(*normal);
  if (key.empty() || has_outer_white_space(key) || is_given_name(key) || key == "chorus") return std::nullopt;
  return normal;
}

std::string name_key(std::string_view name) {
  // Without a table, since that is what joining would take most time for.
  if (ranges::all_of(name, is_ascii)) return name | ranges::views::transform(ascii_lower) | ranges::to<std::string>;
  return map(name, UTF8PROC_CASEFOLD | UTF8PROC_IGNORE).value_or(std::string(name));
}

std::string numbered_name(std::string_view name, std::size_t number) {
  std::size_t length = 0;
  auto const kept = walk(name, [&](utf8proc_int32_t) { return ++length <= max_numbered_length; });
  return std::string(name.substr(0, kept.value_or(name.size()))) + "-" + std::to_string(number);
}

}  // namespace chorus
