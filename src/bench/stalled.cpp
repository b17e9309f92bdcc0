#include <algorithm>
#include <fmt/format.h>

#include "bench/check_failed.hpp"
#include "bench/commands.hpp"
#include "bench/tcp_memory.hpp"

namespace chorus::bench {

namespace {

/// Of those who are going to stall, in bytes. What the kernel holds for them is to be at the server's end.
constexpr std::optional small_buffer = 4 * 1024;

/// Whether the participant with that index is going to stall. Every n-th is, so that they are spread among the others,
/// and no sender.
std::vector<bool> choose_some(bench_options const& o) {
  std::vector<bool> sends(o.receivers);
  seating const seats{1, o.senders};
  for (std::size_t s = 0; s != o.senders; ++s) sends[seats.seat_of(s, o.receivers)] = true;
  std::vector<bool> chosen(o.receivers);
  std::size_t count = 0;
  for (std::size_t index = 0; index != o.receivers; ++index) {
    auto const due = (index + 1) * o.stalled_receivers() / o.receivers;
    if (count >= due || sends[index]) continue;
    chosen[index] = true;
    ++count;
  }
  return chosen;
}

/// They do not count from now on, so that it is the same receivers that are measured before and after.
std::vector<participant*> set_apart(run& r, std::vector<bool> const& chosen) {
  std::vector<participant*> apart;
  for (auto& m : r.people.participants()) {
    if (!chosen[m.index()]) continue;
    m.counted = false;
    apart.push_back(&m);
  }
  return apart;
}

void stall(std::vector<participant*> const& those) {
  for (auto* m : those) {
    m->may_go = true;
    m->line().pause();
  }
}

/// Nothing if that is another machine's.
std::optional<std::size_t> kernel_memory(run const& r) {
  if (!r.to.endpoint.address().is_loopback()) return std::nullopt;
  return tcp_memory();
}

void add_growth(report& to, std::string const& key, std::string label, std::size_t before, std::size_t after,
                std::size_t stalled) {
  auto const grown = static_cast<double>(after) - static_cast<double>(before);
  to.add(key, grown, std::move(label));
  to.add(key + "_per_stalled", grown / static_cast<double>(stalled), "per stalled peer");
}

bool caught_up(participant& m) {
  m.progress.settle();
  return m.gone() || m.progress.complete();
}

struct outcome {
  std::size_t cut_off = 0;
  std::size_t told = 0;
  std::size_t all = 0;
};

/// Those that read again must get everything, or be told what they missed, or have been cut off.
awaitable<outcome> resume(run& r, std::vector<participant*> const& stalled) {
  for (auto* m : stalled) m->line().resume();
  crowd::condition const all_caught_up = [&stalled] {
    return std::ranges::all_of(stalled, [](participant* m) { return caught_up(*m); });
  };
  auto const give_up = r.deadline();
  auto const in_time = co_await r.people.wait_for(all_caught_up, give_up);
  outcome found;
  for (auto* m : stalled) {
    if (!in_time && !caught_up(*m))
      throw check_failed(fmt::format("receiver {} reads again, but has neither got {} nor been told that it will not",
                                     m->index(), m->progress.due()));
    ++(m->gone() ? found.cut_off : m->progress.missed() != 0 ? found.told : found.all);
  }
  co_return found;
}

}  // namespace

awaitable<report> stalled(run& r) {
  auto const& o = r.options;
  auto const chosen = choose_some(o);
  r.people.receive_buffer = [chosen](std::size_t index) { return chosen[index] ? small_buffer : std::nullopt; };
  co_await assemble(r);
  auto const stalled = set_apart(r, chosen);

  r.stage = "measuring with none stalled";
  co_await exchange(r, o.messages, o.size);
  auto const none = r.people.talk().times().summary();
  auto const before = r.server ? r.server->mem() : memory();
  auto const kernel_before = kernel_memory(r);

  r.stage = "filling the sockets of the stalled";
  stall(stalled);
  constexpr std::size_t large = 16 * 1024;
  constexpr std::size_t few_in_flight = 2;
  if (auto const count = o.fill / large; count != 0) co_await exchange_in_flight(r, count, large, few_in_flight);
  auto const kernel_after = kernel_memory(r);

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
  if (r.server)
    add_growth(found, "server.rss_growth_bytes", "server memory, growth to its peak", before.resident,
               r.server->mem().peak, stalled.size());
  if (kernel_before && kernel_after)
    add_growth(found, "kernel.tcp_growth_bytes", "kernel memory for TCP, growth", *kernel_before, *kernel_after,
               stalled.size());
  r.stage = "letting them read again";
  auto const ended = co_await resume(r, stalled);
  found.add("stalled.receivers", std::uint64_t{stalled.size()});
  found.add("stalled.told", std::uint64_t{ended.told}, "stalled and told what they missed");
  found.add("stalled.got_all", std::uint64_t{ended.all}, "stalled and got everything late");
  found.add("stalled.cut_off", std::uint64_t{ended.cut_off}, "stalled and cut off");
  co_return found;
}

}  // namespace chorus::bench
