#include "cli/values.hpp"

#include <charconv>
#include <range/v3/algorithm/find.hpp>
#include <span>
#include <stdexcept>
#include <string>

namespace chorus::cli {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr unit time_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
constexpr unit size_units[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"", 1}};
constexpr std::uint64_t a_year = 365ull * 24 * 3'600'000;

[[noreturn]] void expected(std::string const& what) { throw std::invalid_argument("expected " + what); }

/// A number and one of `units`, multiplied out. Whatever is wrong with it, `what` would be right.
std::uint64_t parse(std::string_view text, std::span<unit const> units, std::uint64_t least, std::uint64_t most,
                    std::string const& what) {
  std::uint64_t number = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) expected(what);
  auto const unit = ranges::find(units, text.substr(static_cast<std::size_t>(rest - text.data())), &unit::name);
  if (unit == units.end() || number > most / unit->factor || number * unit->factor < least) expected(what);
  return number * unit->factor;
}

}  // namespace

std::chrono::milliseconds parse_duration(std::string_view text) {
  return std::chrono::milliseconds(
      parse(text, time_units, 0, a_year, "a duration of at most a year, such as 15s, 200ms or 1h"));
}

std::size_t parse_size(std::string_view text, std::size_t least, std::size_t most) {
  return parse(
      text, size_units, least, most,
      "a size from " + std::to_string(least) + " to " + std::to_string(most) + " bytes, such as 64KiB or 1MiB");
}

std::uint64_t parse_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
  constexpr unit none[] = {{"", 1}};
  return parse(text, none, least, most, "a number from " + std::to_string(least) + " to " + std::to_string(most));
}

bool parse_flag(std::string_view text) {
  if (text != "true" && text != "false") expected("true or false");
  return text == "true";
}

}  // namespace chorus::cli
