#include <memory>

#include "bench/commands.hpp"
#include "bench/probe.hpp"
#include "bench/tcp_memory.hpp"

namespace chorus::bench {

namespace {

using namespace std::chrono_literals;

/// Fails the run as soon as the probe has failed. Ends by cancellation.
awaitable<void> watch_over(run& r, std::shared_ptr<probe const> asking) {
  for (;;) {
    asking->throw_if_failed();
    co_await pause(r, 10ms);
  }
}

/// Returns when the server has answered once more, which is after whatever keeps it busy now.
awaitable<void> next_pong(run& r, probe const& asking) {
  auto const before = asking.answered();
  while (asking.answered() == before) co_await pause(r, 1ms);
}

/// Does what everyone does at once, and reports under the name of the phase how long the server answered nobody.
awaitable<void> measure(run& r, probe& asking, report& found, std::string phase, awaitable<void> work) {
  r.stage = phase;
  asking.take_longest_silence();
  stopwatch const measured(r);
  co_await std::move(work);
  auto const elapsed = measured.elapsed_s();
  // A silence that has begun is this phase's, to its end.
  co_await next_pong(r, asking);
  auto const silence = asking.take_longest_silence();
  found.add(phase + ".longest_silence_us", as_us(silence), phase + ": longest silence");
  found.add(phase + ".elapsed_s", elapsed, phase + ": all done in");
  if (r.server) found.add(phase + ".server_cpu_s", measured.server_cpu_us() / 1e6, phase + ": server CPU");
}

awaitable<void> talk(run& r, probe& asking, report& found) {
  auto const& o = r.options;
  // As many are in flight as there are to be said, so nobody waits for anything.
  auto talking = exchange_in_flight(r, o.connections * o.talk, o.size, o.talk);
  co_await measure(r, asking, found, "talk", std::move(talking));
  auto const& talk = r.people.talk();
  found.add("talk.deliveries", talk.delivered(), "talk: deliveries");
  found.add("talk.missed", talk.missed(), talk.missed() == 0 ? "" : "talk: missed, with a notice");
  found.add("talk.latency_us", talk.times().summary(), "talk: latency");
  co_await pause(r, aftermath);
}

/// Where the kernel had no memory for what was under way, part of the silence is its own.
void add_shortages(report& to, std::optional<std::uint64_t> before, std::optional<std::uint64_t> after) {
  if (!before || !after) return;
  auto const count = *after - *before;
  to.add("kernel.tcp_memory_shortages", count, count == 0 ? "" : "times that the kernel was short of memory for TCP");
}

}  // namespace

awaitable<report> storm(run& r) {
  auto const& o = r.options;
  stopwatch const whole(r);
  auto const shortages_before = tcp_memory_shortages();
  report found;
  auto const shared = std::make_shared<probe>(r.to, o.timeout);
  r.people.accompany(watch_over(r, shared));
  auto& asking = *shared;
  // A server that does not answer pings is to be found out before the storm.
  co_await next_pong(r, asking);

  auto connecting = gather(r, o.connections);
  co_await measure(r, asking, found, "connect", std::move(connecting));

  r.stage = "calling the roll";
  r.people.appoint_senders(o.connections);
  co_await call_the_roll(r);
  if (o.talk != 0) co_await talk(r, asking, found);

  auto leaving = r.people.leave(r.deadline());
  co_await measure(r, asking, found, "leave", std::move(leaving));
  add_server_memory(found, r);
  add_shortages(found, shortages_before, tcp_memory_shortages());
  add_own_cost(found, whole);
  co_return found;
}

}  // namespace chorus::bench
