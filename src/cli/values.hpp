#pragma once
// How values are written on the command line, in the environment and in configuration files.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chorus::cli {

// Each of these throws std::invalid_argument that says what would be right, as in "expected a duration such as 15s,
// 200ms or 1h".

/// `200ms`, `15s`, `5m`, `1h`; a bare number is seconds. From 0 to a year.
std::chrono::milliseconds parse_duration(std::string_view text);

/// `512B`, `64KiB`, `1MiB`, `2GiB`; a bare number is bytes. `least` and `most` are inclusive, in bytes.
std::size_t parse_size(std::string_view text, std::size_t least, std::size_t most);

/// A whole number, both bounds inclusive.
std::uint64_t parse_count(std::string_view text, std::uint64_t least, std::uint64_t most);

/// `true` or `false`.
bool parse_flag(std::string_view text);

}  // namespace chorus::cli
