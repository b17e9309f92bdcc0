#pragma once
// JSON values that stand in scripts, and what it means that a message contains them.

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "client/script/value.hpp"

namespace chorus::script {

/// JSON as it is written in a script: its strings (values, not keys) may contain variables, and one that is just
/// `$?name` captures what stands in its place.
struct json_text {
  boost::json::value written;
  position where;
};

/// Nothing if `whole` lacks a member of `part`, recursively, or an array has another number of elements. Else what is
/// captured: strings as they are, everything else as JSON. Numbers are compared by value; a string that is one variable
/// and nothing else equals a number, too, that is written like its value. Throws script_error at `where`.
std::optional<variables> match_subset(json_text const& part, boost::json::value const& whole, variables const& known);

/// The value with the variables replaced; captures stay as they are. Throws script_error at `where`.
boost::json::value expand(json_text const& text, variables const& known);

/// The variables in it. Throws script_error at `where` if one is not written as a variable is.
std::vector<std::string> names(json_text const& text);
/// The variables that it captures.
std::vector<std::string> captures(json_text const& text);

}  // namespace chorus::script
