#pragma once
// What each statement of a script looks like.

#include <string_view>

#include "client/script/arguments.hpp"
#include "client/script/scanner.hpp"
#include "client/script/step.hpp"

namespace chorus::script {

/// The statement that is called `name` and stands at `where`, with the arguments that `in` has next, except `repeat`,
/// whose body is left empty. Enters in `known` what it introduces. Throws script_error, with a note that shows how the
/// statement is written.
decltype(step::what) parse_statement(std::string_view name, position where, scanner& in, scope& known);

}  // namespace chorus::script
