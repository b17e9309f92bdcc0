#pragma once
// What the operator of a server can choose: its settings, and how it logs.

#include <cstddef>
#include <span>
#include <string>

#include "cli/program.hpp"
#include "server/logging.hpp"
#include "server/settings.hpp"

namespace chorus {

struct options {
  settings server;
  spdlog::level::level_enum log_level = spdlog::level::info;
  log_format format = log_format::text;
  std::size_t log_limit = 100;  ///< lines of each event per second, 0 is no limit

  bool only_check = false;  ///< say whether the configuration is good, and do nothing else
  std::string answer;       ///< not empty: print this (help or version) and do nothing else
};

/// Reads command line (without the program's name), environment (`CHORUS_PORT`; plain `PORT` counts too, below it) and
/// the file that `--config` names. Throws `cli::usage_error`.
options parse_options(std::span<char const* const> arguments, cli::environment const& variables);

}  // namespace chorus
