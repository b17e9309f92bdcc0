#pragma once
// The second phase of a connection: a WebSocket, from the upgrade to its end. What it hears goes to chat/event_log.hpp.

#include "server/negotiation.hpp"
#include "server/shard.hpp"
#include "support/transport.hpp"

namespace chorus {

/// Upgrades the connection, whose socket is the shard's, to a WebSocket and spawns a task into `on.tasks` that serves
/// it until it is closed. Returns when that has begun, so that nothing of the first phase takes memory in the second.
/// Neither throws for what a peer does.
template <transport Transport>
awaitable<void> open_session(shard& on, Transport socket, std::unique_ptr<upgrade> granted);

}  // namespace chorus
