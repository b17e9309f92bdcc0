#include "bench/stages.hpp"

#include <algorithm>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

using namespace std::chrono_literals;

using condition = std::function<bool(crowd& people)>;

/// Collects what all threads have heard. Each knows then what those before it had.
awaitable<void> agree(run& r) {
  visitor const compare = [&r](crowd& people) { people.talk().agree_with(r.heard); };
  co_await in_turn(r.workers, compare);
}

awaitable<void> wait_until(crowd& people, condition const& met, clock::time_point deadline) {
  crowd::condition const met_here = [&] { return met(people); };
  co_await people.wait_for(met_here, deadline);
}

/// Returns true when the condition holds on all threads, false at the deadline. Throws `check_failed`.
awaitable<bool> wait_for_all(run& r, condition const& met, clock::time_point deadline) {
  auto const alone = r.workers.size() == 1;
  for (;;) {
    // What a thread waits for may be what only others have heard.
    constexpr auto patience = 100ms;
    auto const until = alone ? deadline : std::min(clock::now() + patience, deadline);
    work const wait = [&met, until](crowd& people, std::size_t) { return wait_until(people, met, until); };
    co_await on_all(r.workers, wait);
    if (!alone) co_await agree(r);
    auto met_everywhere = true;
    visitor const ask = [&](crowd& people) {
      // By now it is what all have heard.
      if (!alone) people.talk().agree_with(r.heard);
      if (!met(people)) met_everywhere = false;
    };
    co_await in_turn(r.workers, ask);
    if (met_everywhere) co_return true;
    if (clock::now() >= deadline) co_return false;
  }
}

awaitable<std::string> who_is_behind(run& r) {
  stragglers all;
  visitor const look = [&all](crowd& people) { people.find(all); };
  co_await in_turn(r.workers, look);
  co_return all.describe();
}

/// Returns when all counted participants have heard everything. Throws `check_failed`, also when the time is up: then
/// it says who missed what.
awaitable<void> complete(run& r) {
  condition const all_came = [](crowd& people) { return people.talk().complete(); };
  auto const in_time = co_await wait_for_all(r, all_came, r.deadline());
  auto const behind = co_await who_is_behind(r);
  if (!in_time) throw check_failed("not everything came in time; " + behind);
  if (!behind.empty()) throw check_failed("messages are missing; " + behind);
}

/// Nobody may speak before all count.
awaitable<void> begin(run& r, std::size_t messages) {
  visitor const count = [messages](crowd& people) { people.begin(messages); };
  co_await in_turn(r.workers, count);
}

/// The first messages of those who are here; with each that they hear, they say another one.
void speak_in_flight(crowd& people, std::size_t messages, std::size_t size, std::size_t in_flight) {
  people.on_echo = [&people, left = people.seats().shares(messages), size](std::size_t sender) mutable {
    if (left[sender] == 0) return;
    --left[sender];
    people.say(sender, size, clock::now());
  };
  // A copy of the function would have a count of its own.
  for (std::size_t i = 0; i != in_flight; ++i)
    for (std::size_t sender = 0; sender != people.seats().senders(); ++sender)
      if (people.has(sender)) people.on_echo(sender);
}

/// All messages of those who are here. Senders take turns, and so do those on other threads.
awaitable<void> speak_at_rate(crowd& people, std::size_t messages, std::size_t size, double rate,
                              clock::time_point begun) {
  timer pace(people.get_executor());
  for (std::size_t i = 0; i != messages; ++i) {
    auto const sender = i % people.seats().senders();
    if (!people.has(sender)) continue;
    auto const since = std::chrono::duration<double>(static_cast<double>(i) / rate);
    auto const due = begun + std::chrono::duration_cast<clock::duration>(since);
    if (due > clock::now()) {
      pace.expires_at(due);
      co_await pace.async_wait(use_awaitable);
    }
    people.throw_if_failed();
    // Not when it is sent: what a late message suffers, later ones must not hide (coordinated omission).
    people.say(sender, size, due);
  }
}

awaitable<void> exchange_at_rate(run& r, std::size_t messages, std::size_t size) {
  co_await begin(r, messages);
  auto const begun = clock::now();
  work const speak = [&r, messages, size, begun](crowd& people, std::size_t) {
    return speak_at_rate(people, messages, size, r.options.rate, begun);
  };
  co_await on_all(r.workers, speak);
  co_await complete(r);
}

}  // namespace

awaitable<void> gather(run& r, std::size_t count) {
  std::size_t present = 0;
  for (auto& w : r.workers) present += w.people().participants().size();
  auto const threads = r.workers.size();
  auto const at_once = std::max<std::size_t>(r.options.at_once / threads, 1);
  work const connect = [=, deadline = r.deadline()](crowd& people, std::size_t thread) {
    return people.gather(part_of({present, count}, thread, threads), at_once, deadline);
  };
  co_await on_all(r.workers, connect);
}

awaitable<latencies> handshakes(run& r) {
  latencies all;
  visitor const add = [&all](crowd& people) { all += people.handshakes(); };
  co_await in_turn(r.workers, add);
  co_return all;
}

awaitable<void> assemble(run& r) {
  r.stage = "connecting";
  co_await gather(r, r.options.receivers);
  visitor const appoint = [&r](crowd& people) { people.appoint_senders(r.options.receivers); };
  co_await in_turn(r.workers, appoint);
  co_await call_the_roll(r);
  r.stage = "warming up";
  co_await exchange(r, r.options.warm_up, r.options.size);
}

awaitable<void> call_the_roll(run& r) {
  auto const give_up = r.deadline();
  // What was said before, and is heard late, must not count later.
  condition const all_heard = [](crowd& people) { return people.talk().complete() && people.agrees(); };
  visitor const count = [](crowd& people) { people.talk().begin(people.participants().size()); };
  visitor const say = [](crowd& people) {
    for (std::size_t room = 0; room != people.seats().rooms; ++room)
      if (auto const sender = people.talk().room(room).opening().sender; people.has(sender))
        people.say(sender, least_text_size, clock::now());
  };
  for (auto heard = false; !heard;) {
    if (clock::now() >= give_up) {
      auto const behind = co_await who_is_behind(r);
      throw check_failed("not everyone hears what is said; " + behind);
    }
    co_await in_turn(r.workers, count);
    co_await in_turn(r.workers, say);
    auto const patience = std::min(clock::now() + 1s, give_up);
    heard = co_await wait_for_all(r, all_heard, patience);
  }
}

awaitable<void> exchange(run& r, std::size_t messages, std::size_t size) {
  if (r.options.rate > 0) return exchange_at_rate(r, messages, size);
  return exchange_in_flight(r, messages, size, r.options.in_flight);
}

awaitable<void> exchange_in_flight(run& r, std::size_t messages, std::size_t size, std::size_t in_flight) {
  co_await begin(r, messages);
  visitor const speak = [=](crowd& people) { speak_in_flight(people, messages, size, in_flight); };
  co_await in_turn(r.workers, speak);
  co_await complete(r);
}

awaitable<tally> count_deliveries(run& r) {
  tally all;
  visitor const add = [&all](crowd& people) { all += people.talk().counted(); };
  co_await in_turn(r.workers, add);
  co_return all;
}

awaitable<void> pause(run& r, std::chrono::milliseconds how_long) {
  timer until(r.get_executor(), how_long);
  co_await until.async_wait(use_awaitable);
  visitor const check = [](crowd& people) { people.throw_if_failed(); };
  co_await in_turn(r.workers, check);
}

}  // namespace chorus::bench
