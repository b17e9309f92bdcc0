#include "bench/commands.hpp"

namespace chorus::bench {

namespace {

/// For what a server does a little later, such as giving memory back.
constexpr auto moment = std::chrono::milliseconds(500);

}  // namespace

awaitable<report> idle(run& r) {
  auto const& o = r.options;
  // What a server allocates once is not the price of a connection.
  r.stage = "warming up";
  constexpr std::size_t few = 64;
  co_await gather(r, few);
  co_await pause(r, moment);
  auto const before = r.server->mem();

  r.stage = "connecting";
  co_await gather(r, o.connections);
  co_await pause(r, moment);
  auto const connected = r.server->mem();

  r.stage = "watching";
  stopwatch const watched(r);
  co_await pause(r, o.watch);
  auto const cpu_us = watched.server_cpu_us();
  auto const watched_s = watched.elapsed_s();
  auto const grown = static_cast<double>(connected.resident) - static_cast<double>(before.resident);
  auto const count = static_cast<double>(o.connections);
  auto const took = co_await handshakes(r);
  report found;
  found.add("server.rss_bytes_per_connection", grown / count, "server memory (RSS) per connection");
  found.add("server.cpu_us_per_connection_per_s", cpu_us / count / watched_s, "server CPU per connection and second");
  found.add("server.rss_bytes_before", std::uint64_t{before.resident}, "server memory (RSS) before");
  found.add("server.rss_bytes", std::uint64_t{connected.resident}, "and after");
  found.add("server.peak_rss_bytes", std::uint64_t{connected.peak}, "at its peak");
  found.add("handshake_us", took.summary(), "handshake");
  co_return found;
}

}  // namespace chorus::bench
