#include "bench/run.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "bench/check_failed.hpp"
#include "bench/json_event.hpp"
#include "protocol/json_dialect.hpp"

namespace chorus::bench {

namespace {

using namespace std::chrono_literals;

double as_us(cpu_time t) { return std::chrono::duration<double, std::micro>(t).count(); }

awaitable<void> exchange_at_rate(run& r, std::size_t messages, std::size_t size) {
  auto& people = r.people;
  people.begin(messages);
  timer pace(people.get_executor());
  auto const begun = clock::now();
  for (std::size_t i = 0; i != messages; ++i) {
    auto const since = std::chrono::duration<double>(static_cast<double>(i) / r.options.rate);
    auto const due = begun + std::chrono::duration_cast<clock::duration>(since);
    if (due > clock::now()) {
      pace.expires_at(due);
      co_await pace.async_wait(use_awaitable);
    }
    people.throw_if_failed();
    // Not when it is sent: what a late message suffers, later ones must not hide (coordinated omission).
    people.say(i % people.seats().senders(), size, due);
  }
  co_await people.complete_by(r.deadline());
}

}  // namespace

run::run(executor ex, bench_options const& chosen, target const& server_under_test)
    : options(chosen), to(server_under_test), people(ex, rooms_of(to, chosen.rooms), chosen.senders) {
  if (options.server_pid) server.emplace(*options.server_pid);
}

report parameters(bench_options const& o) {
  report asked;
  auto const count = [&asked](char const* key, std::size_t value, char const* label) {
    asked.add(key, std::uint64_t{value}, label);
  };
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
      polling_(r.polling) {}

double stopwatch::elapsed_s() const { return std::chrono::duration<double>(clock::now() - begun_).count(); }
double stopwatch::server_cpu_us() const { return run_.server ? as_us(run_.server->cpu() - server_) : 0; }
double stopwatch::own_cpu_us() const { return as_us(own_cpu() - own_); }
double stopwatch::own_busy() const {
  return 1 - std::chrono::duration<double>(run_.polling - polling_).count() / elapsed_s();
}

awaitable<void> assemble(run& r) {
  r.stage = "connecting";
  co_await r.people.gather(r.options.receivers, r.options.at_once, r.deadline());
  r.people.appoint_senders();
  co_await call_the_roll(r);
  r.stage = "warming up";
  co_await exchange(r, r.options.warm_up, r.options.size);
}

awaitable<void> call_the_roll(run& r) {
  auto& people = r.people;
  auto const give_up = r.deadline();
  // What was said before, and is heard late, must not count later.
  crowd::condition const all_heard = [&people] {
    return people.talk().complete() &&
           std::ranges::all_of(people.participants(), [](participant const& m) { return m.progress.complete(); }) &&
           !people.talk().unheard();
  };
  for (auto heard = false; !heard;) {
    if (clock::now() >= give_up) throw check_failed("not everyone hears what is said; " + people.who_is_behind());
    people.talk().begin(people.participants().size());
    for (std::size_t room = 0; room != people.seats().rooms; ++room)
      people.say(people.talk().room(room).opening().sender, least_text_size, clock::now());
    auto const patience = std::min(clock::now() + 1s, give_up);
    heard = co_await people.wait_for(all_heard, patience);
  }
}

awaitable<void> exchange(run& r, std::size_t messages, std::size_t size) {
  if (r.options.rate > 0) return exchange_at_rate(r, messages, size);
  return exchange_in_flight(r, messages, size, r.options.in_flight);
}

awaitable<void> exchange_in_flight(run& r, std::size_t messages, std::size_t size, std::size_t in_flight) {
  auto& people = r.people;
  people.on_echo = [&people, left = people.begin(messages), size](std::size_t sender) mutable {
    if (left[sender] == 0) return;
    --left[sender];
    people.say(sender, size, clock::now());
  };
  // A copy of the function would have a count of its own.
  for (std::size_t i = 0; i != in_flight; ++i)
    for (std::size_t sender = 0; sender != people.seats().senders(); ++sender) people.on_echo(sender);
  co_await people.complete_by(r.deadline());
  people.on_echo = nullptr;
}

awaitable<void> pause(run& r, std::chrono::milliseconds how_long) {
  timer until(r.people.get_executor(), how_long);
  co_await until.async_wait(use_awaitable);
  r.people.throw_if_failed();
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
