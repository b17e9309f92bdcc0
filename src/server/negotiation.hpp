#pragma once
// The first phase of a connection: HTTP, until it becomes a WebSocket, in session.hpp, or ends.

#include <memory>
#include <optional>

#include "server/connections.hpp"
#include "server/routes.hpp"
#include "support/asio.hpp"

namespace chorus {

/// A request for a WebSocket that is granted. Large, so it is passed on by pointer.
struct upgrade {
  request asked;
  destination to;
  std::optional<directory::seat> seat;  ///< in the room, for a chat
};

/// So many requests are answered on one connection.
inline constexpr int max_requests = 100;

/// Reads requests and answers them. Returns when one asks for a WebSocket and may have it; nothing when the connection
/// has ended, be it by either side, by an error, by the handshake timeout or because places run short. Does not throw
/// for what a peer does.
awaitable<std::unique_ptr<upgrade>> negotiate(connections& all, tcp_socket& socket, tcp::endpoint const& from);

}  // namespace chorus
