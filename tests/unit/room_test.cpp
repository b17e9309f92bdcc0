// A room and its members: what they hear, and in which order.

#include "chat/room.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <new>
#include <range/v3/algorithm/count.hpp>
#include <string>
#include <vector>

#include "running_room.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

struct speechless_dialect final : dialect {
  std::string greeting(welcome const&) const override { return "hello\n"; }
  std::string encode(std::span<event const>) const override { throw std::bad_alloc(); }
  std::string gap(event_range const&) const override { return {}; }
  std::string users(std::size_t, std::vector<std::string> const*) const override { return "users\n"; }
  std::string replayed(std::uint64_t, std::uint64_t) const override { return {}; }
  std::string error(refusal, std::string_view, std::string_view) const override { return {}; }
  command decode(opcode, std::string_view) const override { return ignored{}; }
};

/// A log that has no memory for more.
struct full_log final : event_log {
  bool is_full = false;
  memory_log rest;

  explicit full_log(executor ex) : rest(ex) {}

  void append(draft wanted) override {
    if (is_full) throw std::bad_alloc();
    rest.append(std::move(wanted));
  }
  awaitable<log_batch> next() override { return rest.next(); }
  void close() override { rest.close(); }
};

struct with_log {
  full_log* log = nullptr;
};

struct room_with_full_log : with_log, running_room {
  room_with_full_log()
      : running_room({}, [this](executor ex) {
          auto made = std::make_unique<full_log>(ex);
          log = made.get();
          return made;
        }) {}
};

/// Says what it is told to in each turn, until it is told to end.
awaitable<void> flood(net::io_context& io, user& by, std::string what, int messages) {
  for (int i = 0; i != messages; ++i) {
    by.say(what);
    co_await net::post(io, use_awaitable);
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rooms, running_room)

BOOST_AUTO_TEST_CASE(greeting_counts_the_newcomer_and_comes_first) {
  user first(*this, named("al"));
  first.say("x");
  user second(*this, named("bob"));
  BOOST_TEST(first.peer.written == "");
  poll(io);
  auto const all = std::string("1 joined al 1\n2 al: x\n3 joined bob 2\n");
  BOOST_TEST(first.peer.written == "welcome lobby al 1 1000:0\n" + all);
  // A newcomer gets the whole batch of its own join.
  BOOST_TEST(second.peer.written == "welcome lobby bob 2 1000:0\n" + all);
  BOOST_TEST(lobby.users() == 2U);
}

BOOST_AUTO_TEST_CASE(a_member_is_greeted_once_and_told_its_name) {
  user first(*this, named("bob"));
  user second(*this, named("bob"));
  user third(*this, {}, text);
  BOOST_TEST(first.greetings == 0);
  poll(io);
  first.say("x");
  poll(io);
  BOOST_TEST(first.name == "bob");
  BOOST_TEST(second.name == "bob-2");
  BOOST_TEST(third.name == "user0");
  for (auto const* u : {&first, &second, &third}) BOOST_TEST(u->greetings == 1);
}

BOOST_AUTO_TEST_CASE(greetings_in_one_batch_count_up) {
  std::deque<user> all;
  for (int i = 0; i != 3; ++i) all.emplace_back(*this, join_request{}, text);
  poll(io);
  for (std::size_t i = 0; i != 3; ++i) BOOST_TEST(all[i].peer.written == "hello " + std::to_string(i + 1) + "\n");
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_packet_encoded_once_per_dialect) {
  user a(*this);
  user b(*this);
  user c(*this, {}, text);
  poll(io);
  for (auto* u : {&a, &b, &c}) u->news();
  plain.encoded = terse.encoded = 0;
  a.say("x");
  b.say("y");
  poll(io);
  BOOST_TEST(plain.encoded == 1);
  BOOST_TEST(terse.encoded == 1);
  for (auto* u : {&a, &b}) BOOST_TEST(u->news() == "4 user0: x\n5 user1: y\n");
  BOOST_TEST(c.news() == "user0: x\nuser1: y\n");
}

BOOST_AUTO_TEST_CASE(newcomers_share_what_is_encoded_of_the_past) {
  user a(*this);
  poll(io);
  a.say("x");
  poll(io);
  std::deque<user> many;
  plain.encoded = 0;
  for (int i = 0; i != 10; ++i) many.emplace_back(*this, with_history(5));
  poll(io);
  // Their own batch; the past was encoded for the first member.
  BOOST_TEST(plain.encoded == 1);
  BOOST_TEST(many.back().peer.written.starts_with("welcome lobby user10 11 1000:1\n2 user0: x\n3 joined user1 2\n"));
}

BOOST_AUTO_TEST_CASE(what_is_said_carries_the_mark_of_its_speaker) {
  user a(*this);
  a.in->say("x", "mark");
  poll(io);
  BOOST_TEST(a.peer.written.ends_with("2 user0: x #mark\n"));
}

BOOST_AUTO_TEST_CASE(a_slow_member_misses_exactly_the_announced_events) {
  user slow(*this, {}, json, 1024);
  user terse_slow(*this, {}, text, 1024);
  poll(io);
  for (auto* u : {&slow, &terse_slow}) {
    u->peer.room = 0;
    u->news();
  }
  slow.say("x");
  for (int i = 0; i != 100; ++i) {
    poll(io);
    slow.say(std::string(50, 'z'));
  }
  poll(io);
  slow.peer.drain(slow.channel);
  terse_slow.peer.drain(terse_slow.channel);
  BOOST_TEST(slow.peer.written == "3 user0: x\ngap 4-103\n");
  BOOST_TEST(terse_slow.peer.written == "user0: x\nskipped 100\n");
}

BOOST_AUTO_TEST_CASE(names_are_numbered_from_zero_and_never_used_again) {
  user first(*this);
  std::vector<std::string> names;
  for (int i = 0; i != 2; ++i) {
    user next(*this);
    poll(io);
    names.push_back(next.name);
  }
  BOOST_TEST(first.name == "user0");
  BOOST_TEST(names == (std::vector<std::string>{"user1", "user2"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_left_gets_nothing_more) {
  user a(*this);
  user b(*this);
  poll(io);
  a.news();
  b.news();
  b.say("bye");
  b.leave();
  poll(io);
  BOOST_TEST(a.news() == "3 user1: bye\n4 left user1 1\n");
  BOOST_TEST(b.news() == "");
  BOOST_TEST(lobby.users() == 1U);
}

BOOST_AUTO_TEST_CASE(who_leaves_before_it_is_greeted_is_not) {
  user a(*this);
  user b(*this);
  b.leave();
  poll(io);
  BOOST_TEST(a.peer.written == "welcome lobby user0 1 1000:0\n1 joined user0 1\n2 joined user1 2\n3 left user1 1\n");
  BOOST_TEST(b.peer.written == "");
  BOOST_TEST(b.greetings == 0);
}

BOOST_AUTO_TEST_CASE(nobody_is_encoded_for) {
  {
    user gone(*this);
    gone.say("to nobody");
  }
  poll(io);
  BOOST_TEST(plain.encoded == 0);
  BOOST_TEST(terse.encoded == 0);
}

BOOST_AUTO_TEST_CASE(runs_while_something_is_on_its_way) {
  BOOST_TEST(lobby.is_new());
  BOOST_TEST(starter.times == 0);
  {
    user a(*this);
    BOOST_TEST(lobby.runs());
    poll(io);
    BOOST_TEST(!lobby.runs());
    user b(*this);
    BOOST_TEST(lobby.runs());
    poll(io);
    BOOST_TEST(starter.times == 2);
  }
  poll(io);
  BOOST_TEST(!lobby.runs());
  BOOST_TEST(!lobby.is_new());
  BOOST_TEST(lobby.users() == 0U);
  user c(*this, with_history(1));
  poll(io);
  BOOST_TEST(starter.times == 4);
  BOOST_TEST(c.peer.written == "welcome lobby user2 1 1000:4\n5 joined user2 1\n");
}

BOOST_AUTO_TEST_CASE(a_member_that_fails_keeps_nothing_from_the_others) {
  user a(*this);
  user b(*this);
  user c(*this);
  poll(io);
  for (auto* u : {&a, &b, &c}) u->news();
  b.peer.room = 0;
  b.peer.out_of_memory = true;
  a.say("x");
  poll(io);
  BOOST_TEST(b.peer.failures == 1);
  for (auto* u : {&a, &c}) BOOST_TEST(u->news() == "4 user0: x\n");
}

BOOST_AUTO_TEST_CASE(closed_room_is_silent) {
  user a(*this);
  poll(io);
  a.news();
  a.say("x");
  lobby.close();
  a.say("y");
  user late(*this);
  poll(io);
  BOOST_TEST(a.news() == "2 user0: x\n");
  BOOST_TEST(late.peer.written == "");
  BOOST_TEST(!lobby.runs());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(broken_rooms, running_room)

/// Dies in the middle of a batch, while others run, and answers are waited for. The first part of it ends with a rename
/// of which only one member is told.
BOOST_FIXTURE_TEST_CASE(a_room_whose_broadcaster_fails_keeps_nobody_waiting, quiet_room) {
  speechless_dialect speechless;
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  user other(*this);
  poll(io);
  many.front().say("x");
  many.front().in->rename("al");
  many.front().say("y");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  commons.dialects = dialect_table(terse, speechless);
  auto caught_up = false;
  other.ask_users();
  BOOST_TEST(other.answers.empty());
  start_later(io, catch_up(lobby, caught_up));
  BOOST_CHECK_THROW(poll(io), std::bad_alloc);
  poll(io);
  BOOST_TEST(other.answers.size() == 1U);
  BOOST_TEST(caught_up);
  // Nor anybody who asks afterwards.
  other.ask_users();
  BOOST_TEST(other.answers.size() == 2U);
  other.say(std::string(2 * 1024 * 1024, 'x'));
  BOOST_TEST(!other.in->must_wait());
}

BOOST_FIXTURE_TEST_CASE(who_cannot_join_for_want_of_memory_leaves_nothing_behind, room_with_full_log) {
  user a(*this);
  poll(io);
  log->is_full = true;
  BOOST_CHECK_THROW(user(*this), std::bad_alloc);
  log->is_full = false;
  a.say("x");
  poll(io);
  BOOST_TEST(a.peer.written.ends_with("2 user0: x\n"));
  BOOST_TEST(lobby.has_caught_up());
  a.leave();
  poll(io);
  BOOST_TEST(!lobby.runs());
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_said_for_want_of_memory_keeps_nobody_waiting, room_with_full_log) {
  user a(*this);
  poll(io);
  log->is_full = true;
  BOOST_CHECK_THROW(a.say("x"), std::bad_alloc);
  BOOST_TEST(lobby.has_caught_up());
  // Nor can it say that it leaves.
  a.leave();
  log->is_full = false;
  user b(*this);
  b.leave();
  poll(io);
  BOOST_TEST(lobby.has_caught_up());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(presence, quiet_room)

BOOST_AUTO_TEST_CASE(both_turns_are_told_and_nothing_between_them) {
  user a(*this, named("al"));
  user b(*this, named("bo"), text);
  poll(io);
  a.news();
  {
    user c(*this, named("cy"));
    poll(io);
    BOOST_TEST(a.news() == "turns 3\n");
    BOOST_TEST(c.news() == "welcome lobby cy 3 1000:2\nturns 3\n");
    b.in->rename("bob");
    a.say("x");
    poll(io);
    BOOST_TEST(a.news() == "5 al: x\n");
  }
  poll(io);
  // 2 is not less than 7/8 of 2.
  BOOST_TEST(a.news() == "");
  b.leave();
  poll(io);
  BOOST_TEST(a.news() == "7 left bob 1\nturns 1\n");
}

BOOST_AUTO_TEST_CASE(a_member_is_told_of_its_own_rename_in_its_place) {
  user a(*this, named("al"));
  user b(*this, named("bo"));
  user c(*this, named("cy"), text);
  poll(io);
  for (auto* u : {&a, &b, &c}) u->news();
  a.say("x");
  a.in->rename("bo");
  a.say("y");
  b.in->rename("ann");
  c.in->rename("cyd");
  b.say("z");
  poll(io);
  BOOST_TEST(a.news() == "4 al: x\n5 renamed al 3 bo-2\n6 bo-2: y\n9 ann: z\n");
  BOOST_TEST(b.news() == "4 al: x\n6 bo-2: y\n7 renamed bo 3 ann\n9 ann: z\n");
  BOOST_TEST(c.news() == "al: x\nbo-2: y\nann: z\n");
  BOOST_TEST(a.name == "bo-2");
  BOOST_TEST(b.name == "ann");
  BOOST_TEST(c.name == "cyd");
}

BOOST_FIXTURE_TEST_CASE(in_a_small_room_all_are_told_of_a_rename, running_room) {
  user a(*this, named("al"));
  user b(*this, named("bo"));
  poll(io);
  for (auto* u : {&a, &b}) u->news();
  a.in->rename("ann");
  poll(io);
  for (auto* u : {&a, &b}) BOOST_TEST(u->news() == "3 renamed al 2 ann\n");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(burden, running_room)

BOOST_AUTO_TEST_CASE(bounds_what_is_on_its_way_and_lets_go) {
  constexpr std::size_t limit = 1024 * 1024;
  user a(*this);
  user b(*this);
  poll(io);
  BOOST_TEST(!a.in->must_wait());
  a.say(std::string(limit - 1 - sizeof(draft), 'x'));
  BOOST_TEST(!a.in->must_wait());
  a.say("");
  for (auto* u : {&a, &b}) {
    BOOST_TEST(u->in->must_wait());
    u->in->wait();
  }
  poll_one(io);
  BOOST_TEST(a.times_unburdened == 0);
  poll(io);
  for (auto* u : {&a, &b}) {
    BOOST_TEST(u->times_unburdened == 1);
    BOOST_TEST(!u->in->must_wait());
  }
  // Nothing of it is left.
  a.say(std::string(limit - 1 - sizeof(draft), 'x'));
  BOOST_TEST(!a.in->must_wait());
  a.say("");
  BOOST_TEST(a.in->must_wait());
  poll(io);
  // Who does not wait is not told.
  for (auto* u : {&a, &b}) BOOST_TEST(u->times_unburdened == 1);
}

BOOST_AUTO_TEST_CASE(who_has_left_while_it_waited_is_not_told) {
  user a(*this);
  user b(*this);
  poll(io);
  a.say(std::string(2 * 1024 * 1024, 'x'));
  for (auto* u : {&a, &b}) u->in->wait();
  b.leave();
  poll(io);
  BOOST_TEST(a.times_unburdened == 1);
  BOOST_TEST(b.times_unburdened == 0);
}

BOOST_AUTO_TEST_CASE(a_closed_room_is_not_behind) {
  user a(*this);
  poll(io);
  auto caught_up = false;
  start_later(io, catch_up(lobby, caught_up));
  a.say(std::string(2 * 1024 * 1024, 'x'));
  a.in->wait();
  poll_one(io);
  BOOST_TEST(a.in->must_wait());
  BOOST_TEST(a.times_unburdened == 0);
  BOOST_TEST(!caught_up);
  lobby.close();
  BOOST_TEST(!a.in->must_wait());
  BOOST_TEST(a.times_unburdened == 1);
  poll(io);
  BOOST_TEST(caught_up);
}

BOOST_AUTO_TEST_CASE(has_caught_up_when_all_that_was_said_is_pushed_to_everyone) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  poll(io);
  BOOST_TEST(lobby.has_caught_up());
  many.front().say("x");
  BOOST_TEST(!lobby.has_caught_up());
  auto caught_up = false;
  start_later(io, catch_up(lobby, caught_up));
  while (!caught_up) poll_one(io);
  BOOST_TEST(many.back().peer.written.ends_with("x\n"));
  BOOST_TEST(lobby.has_caught_up());
  // At once where nothing is on its way.
  caught_up = false;
  start(io, catch_up(lobby, caught_up));
  BOOST_TEST(caught_up);
}

BOOST_AUTO_TEST_CASE(catching_up_does_not_wait_for_what_is_said_later) {
  user a(*this);
  user b(*this);
  poll(io);
  start_later(io, flood(io, a, "x", 1000));
  poll_one(io);
  auto caught_up = false;
  start_later(io, catch_up(lobby, caught_up));
  while (!caught_up) poll_one(io);
  BOOST_TEST(b.peer.written.find("3 user0: x") != std::string::npos);
  BOOST_TEST(ranges::count(b.peer.written, '\n') < 500);
  poll(io);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
