#pragma once
// An option: one row of a program's table.

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/values.hpp"

namespace chorus::cli {

/// Takes a value. `first` is true for the first one that a source has for the option: a source does not add to what
/// weaker ones said, but replaces it. Throws std::invalid_argument that says what would be right.
using setter = std::function<void(std::string const& value, bool first)>;

struct option {
  std::string_view name;          ///< without the dashes
  std::string_view value_name;    ///< what stands for the value in the help; empty: a flag, which is there or not
  std::string_view default_text;  ///< taken before all sources; empty: nothing is
  std::string help;
  setter set;
  std::string_view other_variable = {};  ///< in the environment, below the variable that is named after the option
};

struct option_group {
  std::string_view heading;
  std::vector<option> options;
};

// What a setter does. `to` must outlive it.

/// Stores what `parse` makes of the value; the last one counts.
template <class T, class Parse>
setter into(T& to, Parse parse) {
  return [&to, parse = std::move(parse)](std::string const& value, bool) { to = static_cast<T>(parse(value)); };
}
inline setter into(std::string& to) {
  return [&to](std::string const& value, bool) { to = value; };
}
inline setter into(bool& flag) { return into(flag, parse_flag); }

/// For an option that may be repeated: all values of the strongest source.
template <class T, class Parse>
setter append_to(std::vector<T>& to, Parse parse) {
  return [&to, parse = std::move(parse)](std::string const& value, bool first) {
    if (first) to.clear();
    to.push_back(parse(value));
  };
}

// How a value is to be parsed: the functions of values.hpp with their bounds.

inline auto size(std::size_t least, std::size_t most) {
  return [=](std::string_view text) { return parse_size(text, least, most); };
}
inline auto count(std::uint64_t least, std::uint64_t most) {
  return [=](std::string_view text) { return parse_count(text, least, most); };
}

/// One of several words, and what each of them means.
template <class T>
auto one_of(std::vector<std::pair<std::string_view, T>> choices) {
  return [choices = std::move(choices)](std::string_view text) {
    std::string names;
    for (std::size_t i = 0; i != choices.size(); ++i) {
      if (choices[i].first == text) return choices[i].second;
      names.append(i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ").append(choices[i].first);
    }
    throw std::invalid_argument("expected " + names);
  };
}

}  // namespace chorus::cli
