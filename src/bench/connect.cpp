#include "bench/commands.hpp"

namespace chorus::bench {

awaitable<report> connect(run& r) {
  auto const& o = r.options;
  // What a server allocates once, and the code that it runs for the first time, are not the price of a connection.
  r.stage = "warming up";
  constexpr std::size_t few = 64;
  co_await r.people.gather(few, o.at_once);
  r.people.forget_handshakes();

  r.stage = "connecting";
  stopwatch const measured(r);
  co_await r.people.gather(o.connections, o.at_once);
  auto const elapsed = measured.elapsed_s();

  report found;
  add_server_cost(found, r, measured, o.connections, "connection");
  add_server_memory(found, r);
  found.add("elapsed_s", elapsed, "in");
  found.add("connections_per_s", static_cast<double>(o.connections) / elapsed, "that is");
  found.add("handshake_us", r.people.handshakes().summary(), "handshake");
  add_own_cost(found, measured);
  co_return found;
}

}  // namespace chorus::bench
