#pragma once
// What each statement of a script looks like.

#include <set>
#include <string>
#include <string_view>

#include "client/script/scanner.hpp"
#include "client/script/step.hpp"

namespace chorus::script {

/// What the lines above have introduced.
struct scope {
  std::set<std::string> variables;
  std::set<std::string> users;
  bool any_user = false;  ///< a name with variables was connected: nobody can be called unknown before the script plays
};

/// Reads the statement that is called `name` and stands at `to.where`: its arguments are what `in` has next. The body
/// of a `repeat` is left empty. Enters in `known` what it introduces. Throws script_error, with a note that shows how
/// the statement is written.
void parse_statement(std::string_view name, scanner& in, scope& known, step& to);

/// `200ms`, `5s`
std::chrono::milliseconds parse_duration(scanner& in);

}  // namespace chorus::script
