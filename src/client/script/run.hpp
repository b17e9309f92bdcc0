#pragma once
// The scripted mode of chorus-client.

#include <string>

#include "client/exit_code.hpp"
#include "protocol/url.hpp"
#include "support/asio.hpp"

namespace chorus {

/// What to play, and how to tell of it.
struct script_options {
  std::string file;
  websocket_url base;      ///< users connect there; a path in the script replaces its path
  handshake request;       ///< what every user asks for, besides what the script says
  bool tap = false;        ///< results in the Test Anything Protocol
  std::string transcript;  ///< a file that gets every event; empty: none
};

/// Plays the script and writes what comes of it to standard output and standard error. Yields the exit code of the
/// program: 0 all expectations held, 1 one did not, 2 there is no script that could be played (or no transcript that
/// could be written). Nothing that it started is left when it returns.
awaitable<exit_code> run_script(executor ex, script_options options);

}  // namespace chorus
