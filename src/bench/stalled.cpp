#include <algorithm>
#include <fmt/format.h>

#include "bench/check_failed.hpp"
#include "bench/commands.hpp"

namespace chorus::bench {

namespace {

/// Every n-th member stops reading, so that the stalled are spread among the others; senders go on.
std::vector<member*> stall_some(run& r) {
  auto& members = r.people.members();
  auto const wanted = r.options.stalled_receivers();
  std::vector<member*> stalled;
  for (auto& m : members) {
    auto const due = (m.index() + 1) * wanted / members.size();
    if (stalled.size() >= due || m.sender) continue;
    m.counted = false;
    m.may_go = true;
    m.line().pause();
    stalled.push_back(&m);
  }
  return stalled;
}

bool caught_up(member& m) {
  m.progress.settle();
  return m.gone() || m.progress.complete();
}

struct outcome {
  std::size_t cut_off = 0;
  std::size_t told = 0;
  std::size_t all = 0;
};

/// Those that read again must get everything, or be told what they missed, or have been cut off.
awaitable<outcome> resume(run& r, std::vector<member*> const& stalled) {
  for (auto* m : stalled) m->line().resume();
  crowd::condition const all_caught_up = [&stalled] {
    return std::ranges::all_of(stalled, [](member* m) { return caught_up(*m); });
  };
  auto const give_up = r.deadline();
  auto const in_time = co_await r.people.wait_for(all_caught_up, give_up);
  outcome found;
  for (auto* m : stalled) {
    if (!in_time && !caught_up(*m))
      throw check_failed(fmt::format("receiver {} reads again, but has neither got {} nor been told that it will not",
                                     m->index(), m->progress.due()));
    ++(m->gone() ? found.cut_off : m->missed != 0 ? found.told : found.all);
  }
  co_return found;
}

}  // namespace

awaitable<report> stalled(run& r) {
  auto const& o = r.options;
  co_await assemble(r);

  r.stage = "measuring with none stalled";
  co_await exchange(r, o.messages, o.size);
  auto const none = r.people.talk().times().summary();
  auto const before = r.server ? r.server->mem() : memory();

  r.stage = "filling the sockets of the stalled";
  auto const stalled = stall_some(r);
  constexpr std::size_t large = 16 * 1024;
  constexpr std::size_t few_in_flight = 2;
  if (auto const count = o.fill / large; count != 0) co_await exchange_in_flight(r, count, large, few_in_flight);

  r.stage = fmt::format("measuring with {} stalled", stalled.size());
  stopwatch const measured(r);
  co_await exchange(r, o.messages, o.size);
  auto const& talk = r.people.talk();
  auto const some = talk.times().summary();
  auto const deliveries = talk.delivered();

  report found;
  found.add("none_stalled_us", none, "latency, none stalled");
  found.add("some_stalled_us", some, fmt::format("latency, {} stalled", stalled.size()));
  found.add("p99_ratio", some.p99 / none.p99, "p99, stalled to none stalled");
  add_server_cost(found, r, measured, deliveries, "delivery");
  if (r.server) {
    auto const grown = static_cast<double>(r.server->mem().peak) - static_cast<double>(before.resident);
    found.add("server.rss_growth_bytes", grown, "server memory, growth to its peak");
    found.add("server.rss_growth_bytes_per_stalled", grown / static_cast<double>(stalled.size()), "per stalled peer");
  }
  r.stage = "letting them read again";
  auto const ended = co_await resume(r, stalled);
  found.add("stalled.receivers", std::uint64_t{stalled.size()});
  found.add("stalled.told", std::uint64_t{ended.told}, "stalled and told what they missed");
  found.add("stalled.got_all", std::uint64_t{ended.all}, "stalled and got everything late");
  found.add("stalled.cut_off", std::uint64_t{ended.cut_off}, "stalled and cut off");
  co_return found;
}

}  // namespace chorus::bench
