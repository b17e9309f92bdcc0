#include "bench/commands.hpp"

namespace chorus::bench {

namespace {

/// Connects as many as the options say, and reports what that cost under names that end in `suffix`.
awaitable<void> measure_connecting(run& r, report& found, std::string suffix, std::string label) {
  auto const count = r.options.connections;
  visitor const forget = [](crowd& people) { people.forget_handshakes(); };
  co_await in_turn(r.workers, forget);
  stopwatch const measured(r);
  co_await gather(r, count);
  auto const elapsed = measured.elapsed_s();
  auto const took = co_await handshakes(r);

  if (r.server) {
    auto const each = measured.server_cpu_us() / static_cast<double>(count);
    found.add("server.cpu_us_per_connection" + suffix, each, "server CPU per connection" + label);
  }
  found.add("connections_per_s" + suffix, static_cast<double>(count) / elapsed, "connections per second" + label);
  found.add("handshake_us" + suffix, took.summary(), "handshake" + label);
}

}  // namespace

awaitable<report> connect(run& r) {
  report found;
  r.stage = "connecting for the first time";
  co_await measure_connecting(r, found, "_at_first", ", at first");

  r.stage = "disconnecting";
  work const dismiss = [deadline = r.deadline()](crowd& people, std::size_t) { return people.dismiss(deadline); };
  co_await on_all(r.workers, dismiss);
  // A server has closed its ends a little later.
  co_await pause(r, std::chrono::milliseconds(500));

  // What a first connection costs more is memory that the system has to give. It is there now.
  r.stage = "connecting again";
  co_await measure_connecting(r, found, "", ", again");
  add_server_memory(found, r);
  co_return found;
}

}  // namespace chorus::bench
