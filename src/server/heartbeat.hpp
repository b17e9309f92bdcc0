#pragma once
// One coroutine that watches all connections of a thread, instead of a timer for each.

#include "server/peer.hpp"
#include "server/settings.hpp"

namespace chorus {

/// How often deadlines are checked: often enough that the shortest timeout is exact to an eighth, 5 ms to 1 s.
clock::duration heartbeat_period(settings const& options);

/// Ticks every peer once per `period` until it is cancelled, a `slice` at a time. The list must outlive it.
awaitable<void> heartbeat(executor ex, peer_list& peers, clock::duration period);

}  // namespace chorus
