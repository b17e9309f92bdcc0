#include <deque>

#include "bench/commands.hpp"

namespace chorus::bench {

namespace {

/// Guests join at the rate of the options, and the oldest leave when there are too many. Ends by cancellation.
awaitable<void> come_and_go(run& r) {
  timer pace(r.people.get_executor(), clock::now());
  std::deque<participant*> present;
  auto const interval =
      std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(1 / r.options.churn_rate));
  for (;;) {
    auto& guest = r.people.add();
    guest.counted = false;
    guest.may_go = true;
    present.push_back(&guest);
    // Whoever is still shaking hands stays a little longer.
    if (present.size() > r.options.guests && present.front()->is_open()) {
      present.front()->line().leave();
      present.pop_front();
    }
    pace.expires_at(pace.expiry() + interval);
    co_await pace.async_wait(use_awaitable);
  }
}

}  // namespace

awaitable<report> churn(run& r) {
  auto const& o = r.options;
  co_await assemble(r);
  r.people.forget_handshakes();

  r.stage = "measuring";
  r.people.accompany(come_and_go(r));
  stopwatch const measured(r);
  co_await exchange(r, o.messages, o.size);
  auto const joined = r.people.participants().size() - o.receivers;
  auto const elapsed = measured.elapsed_s();
  auto const& talk = r.people.talk();

  report found;
  add_server_cost(found, r, measured, talk.delivered(), "delivery");
  add_server_memory(found, r);
  found.add("latency_us", talk.times().summary(), "latency of those who stay");
  found.add("joined", std::uint64_t{joined}, "joined meanwhile");
  found.add("joins_per_s", static_cast<double>(joined) / elapsed, "that is");
  found.add("handshake_us", r.people.handshakes().summary(), "handshake");
  add_own_cost(found, measured);
  co_await pause(r, aftermath);
  co_return found;
}

}  // namespace chorus::bench
