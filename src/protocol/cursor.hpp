#pragma once
// A place in a room's total order that outlives a connection.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chorus {

/// The largest integer that every JSON implementation keeps exactly (RFC 8259 section 6).
inline constexpr std::uint64_t max_integer = std::uint64_t{1} << 53;

/// A decimal number from 0 to 2^53, and nothing else.
inline std::optional<std::uint64_t> parse_integer(std::string_view text) {
  std::uint64_t number = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || number > max_integer) return std::nullopt;
  return number;
}

/// Everything up to the event `seq` of the room that was created at `epoch` (milliseconds since the Unix epoch).
/// Written `epoch:seq`.
struct cursor {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;

  friend bool operator==(cursor const&, cursor const&) = default;
};

inline std::optional<cursor> parse_cursor(std::string_view text) {
  auto const colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto const epoch = parse_integer(text.substr(0, colon));
  auto const seq = parse_integer(text.substr(colon + 1));
  if (!epoch || !seq) return std::nullopt;
  return cursor{*epoch, *seq};
}

inline std::string to_string(cursor const& c) { return std::to_string(c.epoch) + ":" + std::to_string(c.seq); }

}  // namespace chorus
