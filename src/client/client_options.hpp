#pragma once
// The client's command line.

#include <span>
#include <stdexcept>
#include <string>

#include "client/connection.hpp"

namespace chorus {

struct client_options {
  websocket_url to;
  handshake how;
  std::chrono::milliseconds linger = std::chrono::seconds(2);
  bool reconnect = false;
  std::string script;  ///< play this file; empty: talk or pipe
  bool tap = false;
  std::string transcript;

  std::string answer;  ///< not empty: print this (help or version) and do nothing else
};

/// What is wrong, and what would be right.
struct client_usage_error : std::runtime_error {
  using runtime_error::runtime_error;
};

/// `arguments` are without the program's name. Throws `client_usage_error`.
client_options parse_client_options(std::span<char const* const> arguments);

}  // namespace chorus
