// All rooms: where they come from, and when they go.

#include "chat/directory.hpp"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chat/memory_log.hpp"
#include "running_room.hpp"
#include "support/slices.hpp"
#include "support/task_group.hpp"

namespace chorus::test {

namespace {

using namespace std::chrono_literals;

/// No test that passes waits so long.
constexpr auto deadline = 10s;

struct rooms_of_a_server {
  net::io_context io;
  room_settings options;
  plain_dialect plain;
  terse_dialect terse;
  dialect_table dialects{{&terse, &plain}};
  std::string logs;  ///< of which rooms they were made
  std::optional<directory> rooms;
  task_group sweeping{io.get_executor()};

  rooms_of_a_server() { open(options); }
  ~rooms_of_a_server() {
    sweeping.cancel();
    rooms->close();
    start(io, rooms->join());
    poll(io);
  }

  /// With other options, while there is nobody.
  void open(room_settings const& settings) {
    options = settings;
    auto make_log = [this](std::string const& name) {
      logs += name + " ";
      return std::make_unique<memory_log>(io.get_executor());
    };
    rooms.emplace(io.get_executor(), options, dialects, make_log, std::rethrow_exception);
  }

  void sweep() { sweeping.spawn(rooms->sweep()); }

  void run_until(std::function<bool()> const& done) {
    auto const end = clock::now() + deadline;
    while (!done() && clock::now() < end) {
      io.restart();
      io.run_one_until(end);
    }
    BOOST_TEST(done());
  }

  /// Somebody was there, and left.
  void visit(std::string const& room, std::string const& said = "x");
};

/// A member that has a seat.
struct visitor final : recipient {
  speaking_sink peer;
  outbound_channel channel;
  directory::seat seat;
  std::optional<member> in;

  visitor(rooms_of_a_server& at, directory::seat taken, join_request const& wishes = {})
      : channel(at.io.get_executor(), unlimited, peer), seat(std::move(taken)) {
    peer.room = unlimited;
    peer.speaks = &at.plain;
    // As a session does it: then the room runs at once.
    start(at.io, join(wishes));
  }

  awaitable<void> join(join_request wishes) {
    recipient& self = *this;
    in.emplace(seat.in(), self, wishes);
    co_return;
  }

  outbound_channel& out() override { return channel; }
  dialect_id speaks() const override { return dialect_id::json; }
  void greeted(std::string const&, std::size_t) noexcept override {}
  void renamed(std::string const&) noexcept override {}
  void not_taken(draft const&) noexcept override {}
};

void rooms_of_a_server::visit(std::string const& room, std::string const& said) {
  {
    visitor one(*this, rooms->take_seat(room).value());
    one.in->say(said, {});
    poll(io);
  }
  poll(io);
}

std::uint64_t epoch_of(rooms_of_a_server& at, std::string const& room) {
  return at.rooms->take_seat(room).value().in().identity().epoch;
}

awaitable<void> catch_up(directory& with, bool& done) {
  co_await with.caught_up();
  done = true;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(all_rooms, rooms_of_a_server)

BOOST_AUTO_TEST_CASE(come_with_the_first_seat_and_are_the_same_for_the_same_name) {
  BOOST_TEST(rooms->size() == 0U);
  auto const a = rooms->take_seat("a");
  auto const b = rooms->take_seat("b");
  auto const again = rooms->take_seat("a");
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(&a->in() == &again->in());
  BOOST_TEST(&a->in() != &b->in());
  BOOST_TEST(a->in().identity().name == "a");
  BOOST_TEST(a->in().identity().epoch < b->in().identity().epoch);
  BOOST_TEST(logs == "a b ");
}

BOOST_AUTO_TEST_CASE(do_not_hear_each_other) {
  visitor a(*this, rooms->take_seat("a").value());
  visitor b(*this, rooms->take_seat("b").value());
  a.in->say("x", {});
  poll(io);
  auto const of = [](visitor const& v) { return to_string(cursor{v.seat.in().identity().epoch, 0}); };
  BOOST_TEST(a.peer.written == "welcome a user0 1 " + of(a) + "\n1 joined user0 1\n2 user0: x\n");
  BOOST_TEST(b.peer.written == "welcome b user0 1 " + of(b) + "\n1 joined user0 1\n");
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
    BOOST_TEST(a.in().identity().name == "b");
  }
  BOOST_TEST(rooms->size() == 0U);
}

BOOST_AUTO_TEST_CASE(stay_with_what_was_said_in_them) {
  visit("a");
  BOOST_TEST(rooms->size() == 1U);
  join_request wishes;
  wishes.history = 1;
  visitor late(*this, rooms->take_seat("a").value(), wishes);
  poll(io);
  BOOST_TEST(late.peer.written.find("2 user0: x\n") != std::string::npos);
  BOOST_TEST(late.seat.in().users() == 1U);
  BOOST_TEST(logs == "a ");
}

BOOST_AUTO_TEST_CASE(go_when_their_time_has_come_and_are_others_when_they_come_again) {
  open({.history_ttl = 1ms});
  visit("a");
  auto const before = epoch_of(*this, "a");
  BOOST_TEST(rooms->size() == 1U);
  sweep();
  run_until([&] { return rooms->size() == 0; });
  join_request wishes;
  wishes.since = cursor{before, 2};
  visitor late(*this, rooms->take_seat("a").value(), wishes);
  poll(io);
  auto const now = late.seat.in().identity().epoch;
  BOOST_TEST(now > before);
  BOOST_TEST(late.peer.written == "welcome a user0 1 " + to_string(cursor{now, 0}) + "\n1 joined user0 1\n");
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
  BOOST_TEST(kept->in().identity().name == "a");
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
  auto const a = epoch_of(*this, "a");
  {
    auto const c = rooms->take_seat("c");
    BOOST_REQUIRE(c);
    BOOST_TEST(rooms->size() == 2U);
    auto const again = rooms->take_seat("a");
    BOOST_TEST(again->in().identity().epoch == a);
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
  poll(io);
  last.reset();
  BOOST_TEST(!rooms->take_seat("b"));
  poll(io);
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
  talks.in->say(std::string(10 * 1024, 'x'), {});
  poll(io);
  visit("longest", std::string(20 * 1024, 'x'));
  visit("other");
  BOOST_TEST(rooms->size() == 3U);
  auto const longest = epoch_of(*this, "longest");
  auto const other = epoch_of(*this, "other");
  // That was a visit.
  visit("other");
  talks.in->say(std::string(10 * 1024, 'x'), {});
  poll(io);
  BOOST_TEST(rooms->size() == 2U);
  BOOST_TEST(epoch_of(*this, "other") == other);
  BOOST_TEST(epoch_of(*this, "longest") != longest);
  join_request wishes;
  wishes.since = cursor{talks.seat.in().identity().epoch, 0};
  visitor late(*this, rooms->take_seat("inhabited").value(), wishes);
  poll(io);
  BOOST_TEST(late.peer.written.find("recovered\n1 joined user0 1\n2 user0: x") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(end_of_all_rooms, rooms_of_a_server)

BOOST_AUTO_TEST_CASE(waits_until_all_that_was_said_is_pushed) {
  std::deque<visitor> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, rooms->take_seat("a").value());
  visitor other(*this, rooms->take_seat("b").value());
  poll(io);
  many.front().in->say("x", {});
  other.in->say("y", {});
  auto done = false;
  start_later(io, catch_up(*rooms, done));
  poll_one(io);
  BOOST_TEST(!done);
  while (!done) poll_one(io);
  BOOST_TEST(many.back().peer.written.ends_with("user0: x\n"));
  BOOST_TEST(other.peer.written.ends_with("user0: y\n"));
}

BOOST_AUTO_TEST_CASE(keeps_rooms_until_then) {
  open({.history_ttl = 0ms});
  std::optional<visitor> last(std::in_place, *this, rooms->take_seat("a").value());
  visit("never joined again");
  auto done = false;
  start(io, catch_up(*rooms, done));
  BOOST_TEST(done);
  last.reset();
  {
    auto const nobody = rooms->take_seat("b");
  }
  poll(io);
  BOOST_TEST(rooms->size() == 2U);
}

BOOST_AUTO_TEST_CASE(takes_memory_from_inhabited_rooms_as_well) {
  open({.history_memory = 64 * 1024});
  visit("empty", std::string(20 * 1024, 'x'));
  visitor talks(*this, rooms->take_seat("inhabited").value());
  auto done = false;
  start(io, catch_up(*rooms, done));
  BOOST_TEST(done);
  for (int i = 0; i != 2; ++i) {
    talks.in->say(std::string(20 * 1024, 'x'), {});
    poll(io);
  }
  BOOST_TEST(rooms->size() == 2U);
}

BOOST_AUTO_TEST_CASE(keeps_rooms_from_the_close_on) {
  open({.history_ttl = 0ms});
  std::optional<visitor> last(std::in_place, *this, rooms->take_seat("a").value());
  rooms->close();
  last.reset();
  poll(io);
  BOOST_TEST(rooms->size() == 1U);
}

BOOST_AUTO_TEST_CASE(drops_what_is_said_later_and_ends_their_coroutines) {
  visitor a(*this, rooms->take_seat("a").value());
  poll(io);
  a.in->say("x", {});
  rooms->close();
  a.in->say("too late", {});
  auto joined = false;
  auto const join = [&]() -> awaitable<void> {
    co_await rooms->join();
    joined = true;
  };
  start(io, join());
  BOOST_TEST(joined);
  BOOST_TEST(a.peer.written.ends_with("2 user0: x\n"));
  BOOST_TEST(!a.seat.in().runs());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
