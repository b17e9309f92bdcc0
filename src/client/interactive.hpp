#pragma once
// The client on a terminal.

#include "client/client_options.hpp"
#include "client/exit_code.hpp"

namespace chorus {

/// A chat: lines that are typed are sent, messages appear above the line that is being typed. It asks for chorus.v1,
/// and goes on in text without. `/quit`, `exit` in any case, the end of input, or SIGINT closes the connection and
/// ends. When the server goes away it says so at once, and ends, or connects again if that was asked for.
awaitable<exit_code> run_interactive(executor ex, client_options options);

}  // namespace chorus
