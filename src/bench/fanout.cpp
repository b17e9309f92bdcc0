#include "bench/commands.hpp"

namespace chorus::bench {

awaitable<report> fanout(run& r) {
  auto const& o = r.options;
  co_await assemble(r);

  r.stage = "measuring";
  stopwatch const measured(r);
  co_await exchange(r, o.messages, o.size);
  auto const elapsed = measured.elapsed_s();
  auto const talk = co_await count_deliveries(r);

  report found;
  add_server_cost(found, r, measured, talk.delivered, "delivery");
  add_server_memory(found, r);
  found.add("deliveries", talk.delivered, "deliveries");
  found.add("missed", talk.missed, talk.missed == 0 ? "" : "missed, with a notice");
  found.add("elapsed_s", elapsed, "in");
  found.add("deliveries_per_s", static_cast<double>(talk.delivered) / elapsed, "that is");
  found.add("latency_us", talk.times.summary(), "latency");
  add_own_cost(found, measured);
  co_await pause(r, aftermath);
  co_return found;
}

}  // namespace chorus::bench
