// Answers to one member, in their place among what all hear.

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

/// Has no memory for an answer.
struct reticent_dialect final : dialect {
  std::string greeting(welcome const&) const override { return "hello\n"; }
  std::string encode(std::span<event const>) const override { return "event\n"; }
  std::string gap(event_range const&) const override { return {}; }
  std::string users(std::size_t, std::vector<std::string> const*) const override { throw std::bad_alloc(); }
  std::string replayed(std::uint64_t, std::uint64_t) const override { return {}; }
  std::string error(refusal, std::string_view, std::string_view) const override { return {}; }
  command decode(opcode, std::string_view) const override { return ignored{}; }
};

std::string message(std::uint64_t seq, std::string const& name, std::string const& said) {
  return std::to_string(seq) + " " + name + ": " + said + "\n";
}

/// Where no batch is half done it is told at once.
std::string ask_users_now(running_room& at, user& by) {
  poll(at.io);
  by.news();
  by.answers.clear();
  by.ask_users();
  BOOST_TEST(by.answers.size() == 1U);
  return by.news();
}

std::string ask_replay_now(running_room& at, user& by, replay asked, std::uint64_t covers) {
  poll(at.io);
  by.news();
  by.answers.clear();
  by.ask_replay(asked.from, asked.to);
  BOOST_TEST(by.answers == std::vector{covers}, boost::test_tools::per_element());
  return by.news();
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(answers, running_room)

BOOST_AUTO_TEST_CASE(users_are_counted_and_named_in_order) {
  user c(*this, named("cy"));
  user a(*this, named("al"));
  user b(*this, named("bo"), text);
  BOOST_TEST(ask_users_now(*this, a) == "users 3 al bo cy\n");
}

BOOST_FIXTURE_TEST_CASE(in_a_big_room_users_are_only_counted, quiet_room) {
  user a(*this, named("al"));
  user b(*this, named("bo"));
  BOOST_TEST(ask_users_now(*this, a) == "users 2 al bo\n");
  user c(*this, named("cy"));
  BOOST_TEST(ask_users_now(*this, a) == "users 3\n");
}

BOOST_AUTO_TEST_CASE(a_replay_is_what_is_asked_for_and_ends_with_what_it_covers) {
  user a(*this);
  poll(io);
  a.say("x");
  a.say("y");
  poll(io);
  a.say("z");
  poll(io);
  BOOST_TEST(ask_replay_now(*this, a, {2, 3}, 2) == "2 user0: x\n3 user0: y\nreplayed 2-3\n");
  BOOST_TEST(ask_replay_now(*this, a, {3, 4}, 2) == "3 user0: y\n4 user0: z\nreplayed 3-4\n");
  BOOST_TEST(ask_replay_now(*this, a, {1, 1}, 1) == "1 joined user0 1\nreplayed 1-1\n");
  BOOST_TEST(ask_replay_now(*this, a, {4, 1000}, 1) == "4 user0: z\nreplayed 4-4\n");
  BOOST_TEST(ask_replay_now(*this, a, {5, 1000}, 0) == "bad_request\n");
}

BOOST_FIXTURE_TEST_CASE(a_replay_names_what_is_not_there_any_more, short_history_room) {
  user a(*this);
  poll(io);
  for (int i = 0; i != 4; ++i) {
    a.say(std::to_string(i));
    poll(io);
  }
  BOOST_TEST(ask_replay_now(*this, a, {1, 4}, 1) == "gap 1-3\n4 user0: 2\nreplayed 1-4\n");
  BOOST_TEST(ask_replay_now(*this, a, {2, 3}, 0) == "gap 2-3\nreplayed 2-3\n");
  BOOST_TEST(ask_replay_now(*this, a, {4, 5}, 2) == "4 user0: 2\n5 user0: 3\nreplayed 4-5\n");
}

BOOST_FIXTURE_TEST_CASE(a_replay_where_nothing_is_kept_is_a_gap, no_history_room) {
  user a(*this);
  poll(io);
  a.say("x");
  BOOST_TEST(ask_replay_now(*this, a, {1, 5}, 0) == "gap 1-2\nreplayed 1-2\n");
}

BOOST_AUTO_TEST_CASE(a_long_replay_comes_in_parts) {
  auto const said = std::string(30 * 1024, 'x');
  user a(*this);
  poll(io);
  for (int i = 0; i != 4; ++i) {
    a.say(said);
    poll(io);
  }
  // The third one reaches 64 KiB.
  auto const part = message(2, "user0", said) + message(3, "user0", said) + message(4, "user0", said);
  BOOST_TEST((ask_replay_now(*this, a, {2, 5}, 3) == part + "replayed 2-4\n"));
  BOOST_TEST((ask_replay_now(*this, a, {5, 5}, 1) == message(5, "user0", said) + "replayed 5-5\n"));
}

BOOST_AUTO_TEST_CASE(answers_go_to_who_asks_and_are_never_dropped) {
  user a(*this, named("al"), json, 100);
  user b(*this, named("bo"));
  poll(io);
  a.peer.room = 0;
  b.say(std::string(200, 'x'));
  poll(io);
  b.news();
  a.ask_users();
  a.ask_replay(3, 3);
  b.say("y");
  poll(io);
  a.peer.drain(a.channel);
  BOOST_TEST(b.news() == "4 bo: y\n");
  auto const x = message(3, "bo", std::string(200, 'x'));
  BOOST_TEST(a.news().ends_with(x + "users 2 al bo\n" + x + "replayed 3-3\ngap 4-4\n"));
}

/// The one who asks stands in the last slice.
BOOST_AUTO_TEST_CASE(an_answer_waits_for_the_end_of_a_fan_out) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  user late(*this, named("al"));
  poll(io);
  late.news();
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  late.ask_users();
  late.ask_replay(514, 514);
  poll_one(io);
  BOOST_TEST(late.peer.written == "");
  BOOST_TEST(late.answers.empty());
  poll(io);
  BOOST_TEST(late.answers == (std::vector<std::uint64_t>{0, 1}), boost::test_tools::per_element());
  auto const heard = late.news();
  BOOST_TEST(heard.starts_with("514 user0: x\nusers 513 al user0 "));
  BOOST_TEST(heard.ends_with("user99\n514 user0: x\nreplayed 514-514\n"));
}

/// Batches follow each other without a pause, each of them is fanned out in slices.
BOOST_AUTO_TEST_CASE(an_answer_does_not_wait_for_the_end_of_a_flood) {
  std::deque<user> few;
  for (int i = 0; i != 3; ++i) few.emplace_back(*this);
  poll(io);
  for (auto& u : few) u.news();
  for (int i = 0; i != 20; ++i) few.front().say(std::string(slice_of_bytes / 2, 'x'));
  while (few.front().peer.written.empty()) poll_one(io);
  few.back().ask_users();
  poll(io);
  BOOST_TEST(few.back().answers.size() == 1U);
  auto const heard = few.back().news();
  auto const before = heard.substr(0, heard.find("users 3"));
  BOOST_TEST(ranges::count(before, '\n') <= 2);
  BOOST_TEST(ranges::count(heard, '\n') == 21);
}

BOOST_AUTO_TEST_CASE(who_has_left_gets_no_answer) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  user late(*this);
  poll(io);
  late.news();
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  late.ask_users();
  poll_one(io);
  late.leave();
  poll(io);
  BOOST_TEST(late.news() == "");
  BOOST_TEST(late.answers.empty());
  // Nor does anybody wait for it.
  BOOST_TEST(lobby.has_caught_up());
  BOOST_TEST(!lobby.runs());
}

BOOST_AUTO_TEST_CASE(an_answer_that_fails_is_the_affair_of_the_one_who_asks) {
  reticent_dialect reticent;
  commons.dialects = dialect_table(terse, reticent);
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  user asks(*this);
  poll(io);
  asks.ask_users();
  BOOST_TEST(asks.failures == 1);
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  asks.ask_users();
  poll(io);
  BOOST_TEST(asks.failures == 2);
  BOOST_TEST(asks.answers.empty());
  many.front().say("y");
  poll(io);
  for (auto* u : {&many.front(), &many.back()}) BOOST_TEST(u->peer.written.ends_with("x\nuser0: y\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
