#pragma once
// All options of the server: the one place to add another.

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "options.hpp"

namespace chorus {

struct option {
  std::string_view group;  ///< heading that begins here; empty goes on under the last one
  std::string_view name;
  std::string_view value_name;
  std::string_view default_text;
  std::string_view help;
  /// Throws std::invalid_argument with what would be right.
  std::function<void(options&, std::string const& value)> set;
  /// For an option that may be repeated, whose values add up: drops those of a weaker source.
  std::function<void(options&)> clear = {};
};

/// In the order of the help text, grouped.
std::span<option const> option_table();

}  // namespace chorus
