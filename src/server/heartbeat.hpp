#pragma once
// One coroutine that watches many connections of a thread, instead of a timer for each.

#include "server/peer.hpp"
#include "server/settings.hpp"
#include "support/histogram.hpp"

namespace chorus {

/// How often deadlines are checked: often enough that the shortest timeout is exact to an eighth, 5 ms to 1 s.
clock::duration heartbeat_period(settings const& options);

/// Ticks all peers of the list once per `period` and a slice at a time, until it is cancelled, and counts how late it
/// was. The list and the histogram must outlive it.
awaitable<void> heartbeat(executor ex, peer_list& all, clock::duration period, histogram& lag);

}  // namespace chorus
