#include "bench/run.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "protocol/json_dialect.hpp"

namespace chorus::bench {

namespace {

std::deque<worker> workers_for(bench_options const& o, target const& to, send_times& sent) {
  auto const rooms = rooms_of(to, o.rooms);
  std::deque<worker> found;
  for (std::size_t i = 0; i != o.threads; ++i) found.emplace_back(rooms, o.senders, sent);
  return found;
}

}  // namespace

run::run(bench_options const& chosen, target const& server_under_test)
    : options(chosen),
      to(server_under_test),
      sent(std::max<std::size_t>(chosen.rooms, 1) * chosen.senders),
      workers(workers_for(chosen, to, sent)),
      people(workers.front().people()),
      heard(ledgers_of(people.seats())) {
  if (options.server_pid) server.emplace(*options.server_pid);
}

report parameters(bench_options const& o) {
  report asked;
  auto const count = [&asked](char const* key, std::size_t value, char const* label) {
    asked.add(key, std::uint64_t{value}, label);
  };
  count("threads", o.threads, "generator threads");
  if (o.json_dialect) asked.add("subprotocol", std::string(json_dialect::subprotocol), "subprotocol");
  if (o.rooms != 0) count("rooms", o.rooms, "rooms");
  if (o.receivers == 0) {
    count("connections", o.connections, "connections");
    if (o.what == command::storm) {
      count("messages_each", o.talk, "messages, each");
      count("size_bytes", o.size, "message size");
    }
    return asked;
  }
  count("receivers", o.receivers, "receivers");
  count("senders", o.senders, o.rooms == 0 ? "senders" : "senders, in each room");
  if (o.rate > 0) {
    asked.add("rate_per_s", o.rate, "messages");
  } else {
    count("in_flight", o.in_flight, "in flight, each");
  }
  asked.add("size_bytes", std::uint64_t{o.size}, "message size");
  count("messages", o.messages, "messages");
  return asked;
}

stopwatch::stopwatch(run const& r)
    : run_(r),
      begun_(clock::now()),
      server_(r.server ? r.server->cpu() : cpu_time()),
      own_(own_cpu()),
      polling_(r.workers.size()) {
  std::ranges::transform(r.workers, polling_.begin(), &worker::polling);
}

double stopwatch::elapsed_s() const { return std::chrono::duration<double>(clock::now() - begun_).count(); }
double stopwatch::server_cpu_us() const { return run_.server ? as_us(run_.server->cpu() - server_) : 0; }
double stopwatch::own_cpu_us() const { return as_us(own_cpu() - own_); }
double stopwatch::own_busy() const {
  auto least = clock::duration::max();
  for (std::size_t i = 0; i != polling_.size(); ++i) least = std::min(least, run_.workers[i].polling() - polling_[i]);
  return 1 - std::chrono::duration<double>(least).count() / elapsed_s();
}

void add_server_cost(report& to, run const& r, stopwatch const& since, std::uint64_t count, std::string const& thing) {
  if (!r.server) return;
  auto const cpu = since.server_cpu_us();
  to.add("server.cpu_us_per_" + thing, cpu / static_cast<double>(count), "server CPU per " + thing);
  to.add("server.cpu_s", cpu / 1e6);
  to.add("server.busy", cpu / 1e6 / since.elapsed_s(), "server busy");
}

void add_server_memory(report& to, run const& r) {
  if (!r.server) return;
  auto const used = r.server->mem();
  to.add("server.rss_bytes", std::uint64_t{used.resident}, "server memory (RSS)");
  to.add("server.peak_rss_bytes", std::uint64_t{used.peak}, "server memory, peak");
}

void add_own_cost(report& to, stopwatch const& since) {
  to.add("bench.busy", since.own_busy(), "generator busy");
  to.add("bench.cpu_s", since.own_cpu_us() / 1e6);
}

}  // namespace chorus::bench
