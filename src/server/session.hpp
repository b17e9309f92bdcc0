#pragma once
// The second phase of a connection: a WebSocket, from the upgrade to its end.

#include "server/context.hpp"
#include "server/negotiation.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Serves one WebSocket. Returns when both of its loops have ended and the socket is closed. Does not throw for what a
/// peer does.
awaitable<void> run_session(context& shared, tcp_socket socket, tcp::endpoint from, upgrade granted);

}  // namespace chorus
