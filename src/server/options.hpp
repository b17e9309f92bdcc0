#pragma once
// From command line, environment and configuration file to one plain struct.

#include <map>
#include <span>
#include <stdexcept>
#include <string>

#include "logging.hpp"
#include "server/settings.hpp"

namespace chorus {

struct options {
  settings server;
  spdlog::level::level_enum log_level = spdlog::level::info;
  log_format format = log_format::text;
  duration slow_turn = std::chrono::seconds(0);  ///< a turn of the event loop that takes longer is logged; 0 is off

  std::string answer;  ///< not empty: print this (help or version) and do nothing else
};

/// What is wrong, and what would be right. Names the source and the key.
struct usage_error : std::runtime_error {
  using runtime_error::runtime_error;
};

using environment = std::map<std::string, std::string>;

/// Reads all three sources; the command line wins over the environment, that over the file. `arguments` are without the
/// program's name. An environment variable is `CHORUS_` and the option's name in capitals; plain `PORT` counts too,
/// below `CHORUS_PORT`. Throws `usage_error`.
options parse_options(std::span<char const* const> arguments, environment const& variables);

}  // namespace chorus
