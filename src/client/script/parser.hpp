#pragma once
// From the text of a script to its steps. Pure: no input, no output.

#include <string>
#include <string_view>
#include <vector>

#include "client/script/diagnostic.hpp"
#include "client/script/step.hpp"

namespace chorus::script {

/// Splits the text of a script into lines, for `parse` and for messages.
source make_source(std::string name, std::string_view content);

/// The steps of a script. Throws script_error for the first thing that is wrong.
std::vector<step> parse(source const& script);

}  // namespace chorus::script
