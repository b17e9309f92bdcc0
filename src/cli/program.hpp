#pragma once
// What a program can be told, and how it is read.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/option.hpp"

namespace chorus::cli {

struct program {
  std::string_view name;
  std::string usage;                      ///< the first lines of the help
  std::vector<option_group> groups;       ///< as the help shows them; `--help` and `--version` are in all programs
  std::string closing = {};               ///< the last lines of the help
  std::optional<option> operand = {};     ///< the argument that stands without a name
  std::string_view variable_prefix = {};  ///< of environment variables; without one, the command line alone counts
};

using environment = std::map<std::string, std::string>;

/// That of this process.
environment current_environment();

/// What came of reading.
struct reading {
  std::string answer;                        ///< not empty: print this (help or version) and do nothing else
  std::set<std::string, std::less<>> given;  ///< the options that some source names
};

/// Sets all options: to their defaults, then to what the configuration file, the environment and the command line say;
/// the later of these win. `arguments` are without the program's name. Environment and file count if the program has a
/// `variable_prefix`: a variable is the prefix and the option's name in capitals, the file is what `--config` names.
/// Throws usage_error that names the source and the option.
reading read(program const& what, std::span<char const* const> arguments, environment const& variables = {});

}  // namespace chorus::cli
