#include "server/heartbeat.hpp"

#include <algorithm>

#include "support/slices.hpp"

namespace chorus {

clock::duration heartbeat_period(settings const& options) {
  using namespace std::chrono_literals;
  duration shortest = 8s;
  for (auto const timeout :
       {options.handshake_timeout, options.ping_interval, options.ping_timeout, options.write_timeout}) {
    if (timeout != 0ms) shortest = std::min(shortest, timeout);
  }
  return std::max<duration>(shortest / 8, 5ms);
}

awaitable<void> heartbeat(executor ex, peer_list& peers, clock::duration period) {
  timer pause(ex);
  for (;;) {
    pause.expires_after(period);
    co_await pause.async_wait(use_awaitable);
    auto const now = clock::now();
    peer_walk walk(peers);
    std::size_t visited = 0;
    while (auto* const p = walk.next()) {
      p->tick(now);
      if (ends_slice(visited++)) co_await let_others_run(ex);
    }
  }
}

}  // namespace chorus
