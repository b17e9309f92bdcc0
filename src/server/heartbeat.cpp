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

awaitable<void> heartbeat(executor ex, peer_list& all, clock::duration period, histogram& lag) {
  auto const tick = [](peer& p) { p.tick(clock::now()); };
  auto const pause = [ex] { return let_others_run(ex); };
  timer rest(ex);
  for (;;) {
    rest.expires_after(period);
    co_await rest.async_wait(use_awaitable);
    lag.observe(clock::now() - rest.expiry());
    co_await visit(all, slice, tick, pause);
  }
}

}  // namespace chorus
