// Rooms and connections on several shards: where they are placed, when they go, and how all of it stops.

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "log_record.hpp"
#include "several_shards.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

using namespace std::chrono_literals;

/// How many users rooms had when they ended, by their logs.
using users_at_the_end = std::vector<std::size_t>;

class watched_log final : public event_log {
 public:
  watched_log(executor ex, users_at_the_end& ended)
      : ended_(ended), record_(unlimited), log_(std::make_unique<memory_log>(ex), record_) {}
  ~watched_log() override { ended_.push_back(record_.users_now()); }

  void append(draft wanted) override { log_.append(std::move(wanted)); }
  awaitable<log_batch> next() override { return log_.next(); }
  void close() override { log_.close(); }

 private:
  users_at_the_end& ended_;
  log_record record_;
  recorded_log log_;
};

struct rooms_of_three_shards : rooms_of_a_server {
  rooms_of_three_shards() : rooms_of_a_server(3) {}

  directory::seat seat_in(std::string const& room) { return rooms->take_seat(room).value(); }
  std::uint64_t epoch_of(std::string const& room) { return seat_in(room).room()->which.epoch; }

  void visit(std::string const& room, std::string const& said) {
    {
      visitor one(*this, seat_in(room));
      one.say(said);
      shards->settle();
    }
    shards->settle();
  }
};

std::string home_of(directory::seat const& taken) {
  return std::to_string(taken.room()->home) + " " + std::to_string(taken.shard());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(placement, rooms_of_three_shards)

BOOST_AUTO_TEST_CASE(of_a_room_is_where_there_are_fewest_connections) {
  std::vector<directory::seat> seats;
  for (auto const* const room : {"a", "b", "c", "a", "d"}) seats.push_back(seat_in(room));
  BOOST_TEST(home_of(seats[0]) == "0 0");
  BOOST_TEST(home_of(seats[1]) == "1 1");
  BOOST_TEST(home_of(seats[2]) == "2 2");
  BOOST_TEST(home_of(seats[3]) == "0 0");
  BOOST_TEST(home_of(seats[4]) == "1 1");
  // Those that have gone do not count.
  seats.erase(seats.begin());
  seats.erase(seats.begin() + 2);
  BOOST_TEST(home_of(seat_in("e")) == "0 0");
}

BOOST_AUTO_TEST_CASE(of_members_is_at_home_until_the_room_is_large) {
  open({.large_room = 3}, 3);
  auto const elsewhere = seat_in("b");
  std::vector<directory::seat> seats;
  std::string at;
  for (int i = 0; i != 9; ++i) {
    seats.push_back(seat_in("a"));
    BOOST_TEST(seats.back().room()->home == 1U);
    at += std::to_string(seats.back().shard());
  }
  // Of the emptiest the first; there is one connection more on shard 0.
  BOOST_TEST(at == "111202020");
  // It is large no more.
  while (seats.size() > 2) seats.pop_back();
  BOOST_TEST(seat_in("a").shard() == 1U);
  BOOST_TEST(seat_in("a").shard() == 1U);
}

BOOST_AUTO_TEST_CASE(of_who_needs_no_room_is_where_there_are_fewest) {
  auto const room = seat_in("a");
  std::vector<directory::seat> seats;
  std::string at;
  for (int i = 0; i != 5; ++i) {
    seats.push_back(rooms->take_seat().value());
    BOOST_TEST(!seats.back().room());
    at += std::to_string(seats.back().shard());
  }
  BOOST_TEST(at == "12012");
  BOOST_TEST(rooms->size() == 1U);
}

BOOST_AUTO_TEST_CASE(makes_no_difference_to_who_hears_whom) {
  open({.large_room = 1}, 3);
  std::deque<visitor> all;
  for (int i = 0; i != 6; ++i) all.emplace_back(*this, seat_in("a"));
  auto const alone = std::make_unique<visitor>(*this, seat_in("b"));
  shards->settle();
  all.back().say("x");
  shards->settle();
  for (auto const& v : all) BOOST_TEST(v.heard().ends_with(": x\n"));
  BOOST_TEST(alone->heard().find(": x\n") == std::string::npos);
  BOOST_TEST(logs == "a b ");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ends_of_rooms, rooms_of_three_shards)

/// Seeded schedules. A room that were ended too early would have somebody in it.
BOOST_AUTO_TEST_CASE(come_when_the_last_leave_has_its_place) {
  users_at_the_end ended;
  make_log = [&ended](executor ex) { return std::make_unique<watched_log>(ex, ended); };
  for (unsigned seed = 0; seed != 50; ++seed) {
    open({.history_ttl = 0ms, .large_room = 1}, 3, seed);
    std::mt19937 random(seed);
    std::vector<std::unique_ptr<visitor>> all;
    auto const other = rooms->take_seat();
    std::uint64_t last_epoch = 0;
    for (int round = 0; round != 3; ++round) {
      for (int i = 0; i != 5; ++i) {
        all.push_back(std::make_unique<visitor>(*this, seat_in("a")));
        for (auto turns = random() % 10; turns != 0; --turns) shards->any_turn();
        if (random() % 2 == 0) all.back()->say("x");
      }
      // Nothing of the one before is left.
      BOOST_TEST(all.front()->epoch() > last_epoch);
      last_epoch = all.front()->epoch();
      while (!all.empty()) {
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(random() % all.size()));
        BOOST_TEST(rooms->size() == 1U);
        for (auto turns = random() % 5; turns != 0 && !all.empty(); --turns) shards->any_turn();
      }
      shards->settle();
      BOOST_TEST(rooms->size() == 0U);
      BOOST_TEST(ended == users_at_the_end{0}, boost::test_tools::per_element());
      ended.clear();
    }
  }
}

BOOST_AUTO_TEST_CASE(wait_for_the_home) {
  open({.history_ttl = 0ms, .large_room = 1}, 3);
  auto const elsewhere = rooms->take_seat();
  auto at_home = std::make_unique<visitor>(*this, seat_in("a"));
  auto other = std::make_unique<visitor>(*this, seat_in("a"));
  BOOST_TEST(at_home->seat.room()->home == 1U);
  BOOST_TEST(other->seat.shard() == 2U);
  shards->settle();
  auto const epoch = other->epoch();
  at_home.reset();
  shards->settle();
  shards->asleep = 1;
  other.reset();
  shards->settle();
  BOOST_TEST(rooms->size() == 1U);
  // Who comes meanwhile comes into the same room.
  auto late = std::make_unique<visitor>(*this, seat_in("a"));
  BOOST_TEST(late->epoch() == epoch);
  shards->asleep.reset();
  shards->settle();
  BOOST_TEST(late->heard().starts_with("welcome a user2 1 "));
  late.reset();
  shards->settle();
  BOOST_TEST(rooms->size() == 0U);
  BOOST_TEST(epoch_of("a") > epoch);
  shards->settle();
  BOOST_TEST(logs == "a a ");
}

/// The first answer is that of a time when somebody was there again.
BOOST_AUTO_TEST_CASE(wait_for_the_last_answer_of_the_home) {
  open({.history_ttl = 0ms}, 3);
  auto const elsewhere = rooms->take_seat();
  auto only = std::make_unique<visitor>(*this, seat_in("a"));
  BOOST_TEST(only->seat.shard() == 1U);
  shards->settle();
  auto const epoch = only->epoch();
  only.reset();
  poll(shards->io(0));
  poll(shards->io(1));
  BOOST_TEST(epoch_of("a") == epoch);
  poll(shards->io(0));
  BOOST_TEST(rooms->size() == 1U);
  shards->settle();
  BOOST_TEST(rooms->size() == 0U);
  BOOST_TEST(epoch_of("a") > epoch);
}

/// An outlet that still counts somebody would show here.
BOOST_AUTO_TEST_CASE(are_not_kept_from_coming_by_members_that_come_and_go_elsewhere) {
  open({.large_room = 1}, 3);
  visitor stays(*this, seat_in("a"));
  for (int i = 0; i != 5; ++i) {
    shards->settle();
    visitor one(*this, seat_in("a"));
    visitor two(*this, seat_in("a"));
    BOOST_TEST(one.seat.shard() != 0U);
    BOOST_TEST(two.seat.shard() != one.seat.shard());
    shards->settle();
    two.say("x");
    shards->settle();
    BOOST_TEST(one.heard().ends_with(": x\n"));
  }
  shards->settle();
  // Nobody else is there: it is for nobody else that something is done.
  stays.say("y");
  poll(io());
  BOOST_TEST(!shards->turn(1));
  BOOST_TEST(!shards->turn(2));
  BOOST_TEST(stays.heard().ends_with(": y\n"));
}

BOOST_AUTO_TEST_CASE(make_way_for_others_where_rooms_are_limited) {
  open({.max_rooms = 2}, 3);
  auto a = std::make_unique<visitor>(*this, seat_in("a"));
  auto b = std::make_unique<visitor>(*this, seat_in("b"));
  BOOST_TEST(b->seat.shard() == 1U);
  BOOST_TEST(!rooms->take_seat("c"));
  shards->settle();
  // Until its home says that nothing is on its way any more.
  shards->asleep = 1;
  b.reset();
  shards->settle();
  BOOST_TEST(!rooms->take_seat("c"));
  shards->asleep.reset();
  shards->settle();
  {
    auto const c = rooms->take_seat("c");
    BOOST_TEST(c.has_value());
    BOOST_TEST(rooms->size() == 2U);
    BOOST_TEST(!rooms->take_seat("b"));
  }
  // Nobody has come in.
  shards->settle();
  BOOST_TEST(rooms->size() == 1U);
}

BOOST_AUTO_TEST_CASE(take_the_longest_empty_of_any_shard) {
  open({.max_rooms = 3}, 3);
  auto const elsewhere = rooms->take_seat();
  for (auto const* const room : {"a", "b", "c"}) {
    auto const taken = seat_in(room);
    visit(room, "x");
  }
  shards->settle();
  visit("a", "y");
  auto const a = epoch_of("a");
  shards->settle();
  auto const c = epoch_of("c");
  shards->settle();
  visit("d", "x");
  BOOST_TEST(rooms->size() == 3U);
  BOOST_TEST(epoch_of("a") == a);
  shards->settle();
  BOOST_TEST(epoch_of("c") == c);
}

/// Each shard has half of it.
BOOST_AUTO_TEST_CASE(give_memory_to_the_rooms_of_the_same_shard) {
  open({.history_memory = 2 * 64 * 1024}, 2);
  auto const elsewhere = rooms->take_seat();
  visitor talks(*this, seat_in("inhabited"));
  BOOST_TEST(talks.seat.shard() == 1U);
  shards->settle();
  auto on_the_first = std::make_optional(seat_in("first"));
  BOOST_TEST(on_the_first->shard() == 0U);
  auto const first = on_the_first->room()->which.epoch;
  visit("first", std::string(20 * 1024, 'x'));
  {
    auto const more = rooms->take_seat();
    BOOST_TEST(more->shard() == 1U);
    auto const still_more = rooms->take_seat();
    auto const empties = seat_in("empty");
    BOOST_TEST(empties.shard() == 1U);
    // It is empty longest, but elsewhere.
    on_the_first.reset();
    shards->settle();
    visit("empty", std::string(20 * 1024, 'x'));
  }
  shards->settle();
  BOOST_TEST(rooms->size() == 3U);
  // Twice: as it was said, and as it was encoded.
  shards->asleep = 0;
  for (int i = 0; i != 2; ++i) {
    talks.say(std::string(10 * 1024, 'x'));
    shards->settle();
  }
  BOOST_TEST(rooms->size() == 3U);
  shards->asleep.reset();
  shards->settle();
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(epoch_of("first") == first);
  shards->settle();
  join_request wishes;
  wishes.since = cursor{talks.epoch(), 0};
  {
    visitor late(*this, seat_in("inhabited"), wishes);
    shards->settle();
    BOOST_TEST(late.heard().find("recovered\n1 joined user0 1\n2 user0: x") != std::string::npos);
  }
  shards->settle();
  // When there is no other to give anything, the oldest is dropped.
  for (int i = 0; i != 3; ++i) {
    talks.say(std::string(10 * 1024, 'y'));
    shards->settle();
  }
  visitor later(*this, seat_in("inhabited"), wishes);
  shards->settle();
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(later.heard().find("gap 1-3\n4 joined user1 2\n5 left user1 1\n6 user0: y") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

/// As a server stops: each step on all shards before the next.
struct stop_of_three_shards : rooms_of_three_shards {
  bool is_settled = false;
  bool has_ended = false;

  using step = awaitable<void> (*)(shard_rooms&);

  static awaitable<void> flush(shard_rooms& on) {
    on.flush();
    co_return;
  }
  static awaitable<void> catch_up(shard_rooms& on) { return on.caught_up(); }
  static awaitable<void> close_branches(shard_rooms& on) {
    on.close_branches();
    co_return;
  }
  static awaitable<void> close_rooms(shard_rooms& on) {
    on.close_rooms();
    co_return;
  }
  static awaitable<void> join(shard_rooms& on) { return on.join(); }

  awaitable<void> everywhere(step task) {
    for (auto* const each : shards->all()) {
      auto part = task(*each);
      co_await net::co_spawn(each->get_executor(), std::move(part), use_awaitable);
    }
  }

  awaitable<void> settle() {
    co_await everywhere(flush);
    co_await everywhere(catch_up);
    is_settled = true;
  }
  awaitable<void> stop() {
    co_await everywhere(close_branches);
    co_await everywhere(close_rooms);
    co_await everywhere(join);
    co_await everywhere(join);
    has_ended = true;
  }
  void run_until(bool const& done) {
    while (!done && shards->any_turn()) continue;
    BOOST_TEST(done);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(stops, stop_of_three_shards)

/// Seeded schedules: with drafts, deliveries and questions in flight.
BOOST_AUTO_TEST_CASE(deliver_everything_that_was_said_before) {
  for (unsigned seed = 0; seed != 50; ++seed) {
    open({.history_ttl = 0ms, .large_room = 1}, 3, seed);
    is_settled = has_ended = false;
    std::mt19937 random(seed);
    std::deque<visitor> all;
    for (int i = 0; i != 9; ++i) all.emplace_back(*this, seat_in(i < 6 ? "a" : "b"));
    auto leaves = std::make_unique<visitor>(*this, seat_in("b"));
    for (int i = 0; i != 20; ++i) {
      all[random() % all.size()].say("m" + std::to_string(i));
      for (auto turns = random() % 10; turns != 0; --turns) shards->any_turn();
    }
    all[1].is->ask_users();
    leaves->say("bye");
    leaves.reset();
    for (auto turns = random() % 20; turns != 0; --turns) shards->any_turn();
    for (auto& v : all) v.say("last");
    rooms->stop();
    start_later(io(), settle());
    run_until(is_settled);
    // Not only that: it is told before anything else is done.
    std::size_t heard = 0;
    for (auto const& v : all) {
      auto const& lines = v.heard();
      for (auto at = lines.find(": last\n"); at != std::string::npos; at = lines.find(": last\n", at + 1)) ++heard;
    }
    BOOST_TEST(heard == 6U * 6 + 3 * 3);
    for (int i = 0; i != 20; ++i) {
      auto const said = ": m" + std::to_string(i) + "\n";
      auto const by_some = [&](std::size_t first, std::size_t last) {
        std::size_t count = 0;
        for (auto each = first; each != last; ++each)
          if (all[each].heard().find(said) != std::string::npos) ++count;
        return count;
      };
      BOOST_TEST((by_some(0, 6) == 6 || by_some(6, 9) == 3));
    }
    all[2].is->ask_users();
    start_later(io(), stop());
    run_until(has_ended);
    BOOST_TEST(all[1].is->answers.size() == 1U);
    BOOST_TEST(all[2].is->answers.size() == 1U);
    for (auto& v : all) {
      v.is->news();
      v.say("too late");
      BOOST_TEST(!v.is->in->must_wait());
    }
    shards->settle();
    for (auto& v : all) BOOST_TEST(v.heard() == "");
    BOOST_TEST(rooms->size() == 2U);
  }
}

/// While people talk on.
BOOST_AUTO_TEST_CASE(keep_rooms_that_have_no_members_any_more) {
  open({.history_ttl = 0ms, .large_room = 1}, 3);
  auto a = std::make_unique<visitor>(*this, seat_in("a"));
  auto b = std::make_unique<visitor>(*this, seat_in("a"));
  auto c = std::make_unique<visitor>(*this, seat_in("b"));
  shards->settle();
  rooms->stop();
  for (auto* const v : {&a, &b, &c}) {
    (*v)->say("x");
    v->reset();
  }
  start_later(io(), settle());
  run_until(is_settled);
  shards->settle();
  BOOST_TEST(rooms->size() == 2U);
  start_later(io(), stop());
  run_until(has_ended);
}

BOOST_AUTO_TEST_CASE(release_who_waits) {
  open({.large_room = 1}, 3);
  visitor a(*this, seat_in("a"));
  visitor b(*this, seat_in("a"));
  shards->settle();
  shards->asleep = 0;
  b.say(std::string(2 * 1024 * 1024, 'x'));
  BOOST_TEST(b.is->in->must_wait());
  b.is->in->wait();
  shards->settle();
  shards->asleep.reset();
  (*shards)[b.seat.shard()].close_branches();
  BOOST_TEST(b.is->times_unburdened == 1);
  BOOST_TEST(!b.is->in->must_wait());
  // What it had said is told all the same.
  shards->settle();
  BOOST_TEST(a.heard().size() > 2U * 1024 * 1024);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
