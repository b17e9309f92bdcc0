#pragma once
// What the user of the client can choose.

#include <span>
#include <string>

#include "client/connection.hpp"

namespace chorus {

struct client_options {
  websocket_url url;
  handshake request;
  tls_trust trust;
  bool json = false;  ///< pass on what is said in chorus.v1, as it is
  std::chrono::milliseconds linger{};
  bool reconnect = false;
  std::string script;  ///< play this file; empty: talk or pipe
  bool tap = false;
  std::string transcript;

  std::string answer;  ///< not empty: print this (help or version) and do nothing else
};

/// `arguments` are without the program's name. Throws `cli::usage_error`.
client_options parse_client_options(std::span<char const* const> arguments);

}  // namespace chorus
