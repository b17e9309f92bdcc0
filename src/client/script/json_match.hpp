#pragma once
// JSON values that stand in scripts, and what it means that a message contains them.

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "client/script/value.hpp"

namespace chorus::script {

/// True if `whole` has every member of `part`, recursively. Arrays must have as many elements, numbers the same value.
bool is_subset(boost::json::value const& part, boost::json::value const& whole);

/// The value with the variables in its strings replaced (in values, not in keys). Throws script_error at `where`.
boost::json::value expand(boost::json::value const& written, position where, variables const& known);

/// The variables in it. Throws script_error at `where` if one is not written as a variable is.
std::vector<std::string> names(boost::json::value const& written, position where);

}  // namespace chorus::script
