#pragma once
// The first phase of a connection: HTTP, until it becomes a WebSocket, in session.hpp, or ends.

#include <memory>
#include <optional>

#include "server/admission.hpp"
#include "server/routes.hpp"
#include "support/homebound.hpp"
#include "support/transport.hpp"

namespace chorus {

/// A request for a WebSocket that is granted. Large, so it is passed on by pointer; it may go to another shard.
struct upgrade {
  request asked;
  destination to;
  tcp::endpoint from;
  shard_id at;                       ///< where the connection is to be
  std::optional<room_address> room;  ///< of a chat
  homebound<berth> takes;
};

/// So many requests are answered on one connection.
inline constexpr int max_requests = 100;

/// Reads requests and answers them, the first one by `deadline`. Returns when one asks for a WebSocket and may have it;
/// nothing when the connection has ended, be it by either side, by an error, by the handshake timeout or because places
/// run short. The upgrade has the seat from then on. Does not throw for what a peer does.
template <transport Transport>
awaitable<std::unique_ptr<upgrade>> negotiate(admission& to, Transport& socket, tcp::endpoint const& from,
                                              capacity::seat& seat, clock::time_point deadline);

}  // namespace chorus
