// All rooms: where they come from, and when they go.

#include "chat/directory.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "several_shards.hpp"
#include "support/slices.hpp"
#include "support/task_group.hpp"

namespace chorus::test {

namespace {

using namespace std::chrono_literals;

/// No test that passes waits so long.
constexpr auto deadline = 10s;

struct rooms_of_one_shard : rooms_of_a_server {
  std::optional<task_group> sweeping;

  ~rooms_of_one_shard() {
    if (!sweeping) return;
    sweeping->cancel();
    start(io(), sweeping->join());
  }

  void sweep() { sweeping.emplace(io().get_executor()).spawn(rooms->sweep()); }

  void run() { poll(io()); }
  void run_until(std::function<bool()> const& done) {
    auto const end = clock::now() + deadline;
    while (!done() && clock::now() < end) {
      io().restart();
      io().run_one_until(end);
    }
    BOOST_TEST(done());
  }

  /// Somebody was there, and left.
  void visit(std::string const& room, std::string const& said = "x") {
    {
      visitor one(*this, rooms->take_seat(room).value());
      one.say(said);
      run();
    }
    run();
  }

  std::uint64_t epoch_of(std::string const& room) { return rooms->take_seat(room).value().room()->which.epoch; }
};

awaitable<void> join(shard_rooms& all, bool& joined) {
  co_await all.join();
  joined = true;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(all_rooms, rooms_of_one_shard)

BOOST_AUTO_TEST_CASE(come_with_the_first_seat_and_are_the_same_for_the_same_name) {
  BOOST_TEST(rooms->size() == 0U);
  auto const a = rooms->take_seat("a");
  auto const b = rooms->take_seat("b");
  auto const again = rooms->take_seat("a");
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(a->room()->which.epoch == again->room()->which.epoch);
  BOOST_TEST(a->room()->which.name == "a");
  BOOST_TEST(a->room()->which.epoch < b->room()->which.epoch);
  BOOST_TEST(logs == "a b ");
}

BOOST_AUTO_TEST_CASE(do_not_hear_each_other) {
  visitor a(*this, rooms->take_seat("a").value());
  visitor b(*this, rooms->take_seat("b").value());
  a.say("x");
  run();
  auto const of = [](visitor const& v) { return to_string(cursor{v.epoch(), 0}); };
  BOOST_TEST(a.heard() == "welcome a user0 1 " + of(a) + "\n1 joined user0 1\n2 user0: x\n");
  BOOST_TEST(b.heard() == "welcome b user0 1 " + of(b) + "\n1 joined user0 1\n");
}

BOOST_AUTO_TEST_CASE(leave_nothing_behind_if_nobody_joined) {
  {
    auto const one = rooms->take_seat("a");
    auto moved = rooms->take_seat("a");
    auto const other = std::move(moved);
  }
  BOOST_TEST(rooms->size() == 0U);
}

BOOST_AUTO_TEST_CASE(of_seats_that_are_exchanged_each_is_given_back_once) {
  {
    auto a = rooms->take_seat("a").value();
    auto b = rooms->take_seat("b").value();
    a = std::move(b);
    BOOST_TEST(a.room()->which.name == "b");
  }
  BOOST_TEST(rooms->size() == 0U);
}

BOOST_AUTO_TEST_CASE(stay_with_what_was_said_in_them) {
  visit("a");
  BOOST_TEST(rooms->size() == 1U);
  join_request wishes;
  wishes.history = 1;
  visitor late(*this, rooms->take_seat("a").value(), wishes);
  run();
  BOOST_TEST(late.heard().find("2 user0: x\n") != std::string::npos);
  late.is->ask_users();
  BOOST_TEST(late.heard().ends_with("\nusers 1 user1\n"));
  BOOST_TEST(logs == "a ");
}

BOOST_AUTO_TEST_CASE(go_when_their_time_has_come_and_are_others_when_they_come_again) {
  open({.history_ttl = 1ms});
  visit("a");
  auto const before = epoch_of("a");
  BOOST_TEST(rooms->size() == 1U);
  sweep();
  run_until([&] { return rooms->size() == 0; });
  join_request wishes;
  wishes.since = cursor{before, 2};
  visitor late(*this, rooms->take_seat("a").value(), wishes);
  run();
  auto const now = late.epoch();
  BOOST_TEST(now > before);
  BOOST_TEST(late.heard() == "welcome a user0 1 " + to_string(cursor{now, 0}) + "\n1 joined user0 1\n");
}

/// The sweep takes those whose time has come, and those only.
BOOST_AUTO_TEST_CASE(do_not_go_before_their_time_or_while_somebody_has_a_seat) {
  open({.history_ttl = 20ms});
  auto const inhabited = clock::now();
  visit("a");
  visit("b");
  auto const kept = rooms->take_seat("a");
  visitor stays(*this, rooms->take_seat("c").value());
  sweep();
  run_until([&] { return rooms->size() == 2; });
  BOOST_TEST((clock::now() - inhabited >= 20ms));
  auto const later = clock::now() + 50ms;
  run_until([&] { return clock::now() >= later; });
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(kept->room()->which.name == "a");
}

BOOST_AUTO_TEST_CASE(without_ttl_go_with_their_last_member) {
  open({.history_ttl = 0ms});
  visitor stays(*this, rooms->take_seat("a").value());
  visit("b");
  BOOST_TEST(rooms->size() == 1U);
  visit("a");
  BOOST_TEST(rooms->size() == 1U);
}

BOOST_AUTO_TEST_CASE(of_too_many_the_longest_empty_goes) {
  open({.max_rooms = 2});
  visit("a");
  visit("b");
  // Now b is empty for longer than a.
  visit("a");
  auto const a = epoch_of("a");
  {
    auto const c = rooms->take_seat("c");
    BOOST_REQUIRE(c);
    BOOST_TEST(rooms->size() == 2U);
    auto const again = rooms->take_seat("a");
    BOOST_TEST(again->room()->which.epoch == a);
    // Both are inhabited.
    BOOST_TEST(!rooms->take_seat("d"));
    BOOST_TEST(rooms->take_seat("c").has_value());
  }
  // And c has gone by itself.
  BOOST_TEST(rooms->size() == 1U);
  BOOST_TEST(rooms->take_seat("d").has_value());
}

BOOST_AUTO_TEST_CASE(of_which_one_still_broadcasts_none_goes) {
  open({.max_rooms = 1});
  std::optional<visitor> last(std::in_place, *this, rooms->take_seat("a").value());
  run();
  last.reset();
  BOOST_TEST(!rooms->take_seat("b"));
  run();
  BOOST_TEST(rooms->take_seat("b").has_value());
}

BOOST_AUTO_TEST_CASE(may_be_without_limit) {
  open({.max_rooms = 0});
  std::vector<directory::seat> seats;
  for (int i = 0; i != 100; ++i) seats.push_back(rooms->take_seat(std::to_string(i)).value());
  BOOST_TEST(rooms->size() == 100U);
}

/// What is said is kept as it was and as it was encoded: twice.
BOOST_AUTO_TEST_CASE(that_are_empty_give_their_memory_before_others_lose_anything) {
  open({.history_memory = 64 * 1024});
  visitor talks(*this, rooms->take_seat("inhabited").value());
  talks.say(std::string(10 * 1024, 'x'));
  run();
  visit("longest", std::string(20 * 1024, 'x'));
  visit("other");
  BOOST_TEST(rooms->size() == 3U);
  auto const longest = epoch_of("longest");
  auto const other = epoch_of("other");
  // That was a visit.
  visit("other");
  talks.say(std::string(10 * 1024, 'x'));
  run();
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(epoch_of("other") == other);
  BOOST_TEST(epoch_of("longest") != longest);
  join_request wishes;
  wishes.since = cursor{talks.epoch(), 0};
  visitor late(*this, rooms->take_seat("inhabited").value(), wishes);
  run();
  BOOST_TEST(late.heard().find("recovered\n1 joined user0 1\n2 user0: x") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(end_of_all_rooms, rooms_of_one_shard)

BOOST_AUTO_TEST_CASE(waits_until_all_that_was_said_is_pushed) {
  std::deque<visitor> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, rooms->take_seat("a").value());
  visitor other(*this, rooms->take_seat("b").value());
  run();
  many.front().say("x");
  other.say("y");
  std::size_t done = 0;
  shards->catch_up(done);
  poll_one(io());
  BOOST_TEST(done == 0U);
  while (done == 0) poll_one(io());
  BOOST_TEST(many.back().heard().ends_with("user0: x\n"));
  BOOST_TEST(other.heard().ends_with("user0: y\n"));
}

BOOST_AUTO_TEST_CASE(keeps_rooms_from_its_beginning_on) {
  open({.history_ttl = 0ms});
  std::optional<visitor> last(std::in_place, *this, rooms->take_seat("a").value());
  visit("never joined again");
  rooms->stop();
  last.reset();
  {
    auto const nobody = rooms->take_seat("b");
  }
  run();
  BOOST_TEST(rooms->size() == 2U);
}

BOOST_AUTO_TEST_CASE(takes_memory_from_inhabited_rooms_as_well) {
  open({.history_memory = 64 * 1024});
  visit("empty", std::string(20 * 1024, 'x'));
  visitor talks(*this, rooms->take_seat("inhabited").value());
  rooms->stop();
  for (int i = 0; i != 2; ++i) {
    talks.say(std::string(20 * 1024, 'x'));
    run();
  }
  BOOST_TEST(rooms->size() == 2U);
}

BOOST_AUTO_TEST_CASE(keeps_rooms_from_the_close_on) {
  open({.history_ttl = 0ms});
  std::optional<visitor> last(std::in_place, *this, rooms->take_seat("a").value());
  rooms->stop();
  shards->close();
  last.reset();
  run();
  BOOST_TEST(rooms->size() == 1U);
}

BOOST_AUTO_TEST_CASE(drops_what_is_said_later_and_ends_their_coroutines) {
  visitor a(*this, rooms->take_seat("a").value());
  run();
  a.say("x");
  shards->close();
  a.say("too late");
  auto joined = false;
  start(io(), join((*shards)[0], joined));
  BOOST_TEST(joined);
  BOOST_TEST(a.heard().ends_with("2 user0: x\n"));
  auto settled = false;
  (*shards)[0].when_settled(a.epoch(), [&settled](bool) { settled = true; });
  BOOST_TEST(settled);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
