#include "options.hpp"

#include <algorithm>
#include <range/v3/algorithm/find.hpp>
#include <range/v3/algorithm/min_element.hpp>
#include <range/v3/numeric/iota.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "option_sources.hpp"
#include "option_table.hpp"

namespace chorus {

namespace {

/// The number of single-character edits that turn one word into another (Levenshtein).
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  ranges::iota(row, std::size_t{0});
  for (std::size_t i = 0; i != from.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j != to.size(); ++j) {
      auto const replaced = diagonal + (from[i] != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

[[noreturn]] void fail_unknown(source const& in, setting const& given) {
  if (given.key.empty()) fail(in, "unexpected argument " + quoted(given.value) + "; see --help");
  auto const distance = [&](option const& o) { return edit_distance(given.key, o.name); };
  auto const nearest = ranges::min_element(option_table(), {}, distance);
  auto const hint = distance(*nearest) <= 3 ? "; did you mean " + in.spell(nearest->name) + "?" : "; see --help";
  fail(in, "unknown option " + quoted(given.spelled) + hint);
}

void apply(source const& from, options& to) {
  std::set<std::string_view> begun_lists;
  for (auto const& given : from.settings) {
    auto const known = ranges::find(option_table(), given.key, &option::name);
    if (known == option_table().end()) fail_unknown(from, given);
    if (known->clear && begun_lists.insert(known->name).second) known->clear(to);
    try {
      known->set(to, given.value);
    } catch (std::invalid_argument const& e) {
      fail(from, given.spelled + ": " + quoted(given.value) + " will not do: " + e.what());
    }
  }
}

}  // namespace

options parse_options(std::span<char const* const> arguments, environment const& variables) {
  options result;
  auto command_line = read_command_line(arguments);
  if (take(command_line, "help")) {
    result.answer = help_text();
    return result;
  }
  if (take(command_line, "version")) {
    result.answer = "chorus-server " CHORUS_VERSION "\n";
    return result;
  }
  auto from_environment = read_environment(variables);
  auto const file_there = take(from_environment, "config");
  if (auto const file_here = take(command_line, "config")) {
    apply(read_file(command_line, *file_here), result);
  } else if (file_there) {
    apply(read_file(from_environment, *file_there), result);
  }
  apply(from_environment, result);
  apply(command_line, result);
  return result;
}

}  // namespace chorus
