#pragma once
// The client in a pipe.

#include "client/client_options.hpp"
#include "client/exit_code.hpp"

namespace chorus {

/// Sends every line of standard input as a message and writes every text message as a line, at once. With `json` lines
/// are commands of chorus.v1 as they are, and messages its events; a server that does not speak it is a failure. Ends
/// when the input has ended and what was sent has come back, or the linger time has passed; or when the server ends the
/// connection, which it reports on standard error.
awaitable<exit_code> run_piped(executor ex, client_options options);

}  // namespace chorus
