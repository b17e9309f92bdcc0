// A batch on its way to very many, and what happens meanwhile.

#include <boost/test/unit_test.hpp>
#include <deque>
#include <range/v3/algorithm/count_if.hpp>
#include <set>
#include <string>

#include "running_room.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

/// Counts in each of a hundred turns how many of them `has` what is fanned out.
template <class Users, class Predicate>
std::set<std::ptrdiff_t> counts_turn_by_turn(net::io_context& io, Users& all, Predicate has) {
  std::set<std::ptrdiff_t> seen;
  for (int turn = 0; turn != 100; ++turn) {
    seen.insert(static_cast<std::ptrdiff_t>(ranges::count_if(all, has)));
    poll_one(io);
  }
  return seen;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fan_out, running_room)

BOOST_AUTO_TEST_CASE(to_many_lets_others_run) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 3 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  poll(io);
  many.front().say("x");
  auto const seen = counts_turn_by_turn(io, many, [](user& u) { return u.peer.written.ends_with("x\n"); });
  BOOST_TEST(seen == (std::set<std::ptrdiff_t>{0, slice, 2 * slice, 3 * slice}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(greeting_many_lets_others_run) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 3 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  auto const seen = counts_turn_by_turn(io, many, [](user& u) { return u.greetings == 1; });
  BOOST_TEST(seen == (std::set<std::ptrdiff_t>{0, slice, 2 * slice, 3 * slice}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_much_lets_others_run_more_often) {
  std::deque<user> few;
  for (int i = 0; i != 4; ++i) few.emplace_back(*this, join_request{}, text);
  poll(io);
  few.front().say(std::string(slice_of_bytes, 'x'));
  auto const seen = counts_turn_by_turn(io, few, [](user& u) { return u.peer.written.size() > slice; });
  BOOST_TEST(seen == (std::set<std::ptrdiff_t>{0, 1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_joins_meanwhile_hears_the_next_batch_first) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  poll(io);
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  BOOST_TEST(!many.back().peer.written.ends_with("x\n"));
  user late(*this, {}, text);
  user late_other(*this, named("al"));
  poll(io);
  BOOST_TEST(many.back().peer.written.ends_with("x\n"));
  many.front().say("y");
  poll(io);
  BOOST_TEST(late.peer.written == "hello 513\nuser0: y\n");
  BOOST_TEST(late_other.peer.written ==
             "welcome lobby al 514 1000:513\n514 joined user512 513\n515 joined al 514\n516 user0: y\n");
}

/// The first of three slices has it when they leave: one who has it, one who has not, and the last one.
BOOST_AUTO_TEST_CASE(who_leaves_meanwhile_takes_it_from_nobody) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 3 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  poll(io);
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  auto const leaving = std::set<std::size_t>{1, slice, slice + 1, 3 * slice - 1};
  for (auto const i : leaving) many[i].leave();
  poll(io);
  many.front().say("y");
  poll(io);
  for (std::size_t i = 0; i != many.size(); ++i) {
    auto const has_left = leaving.contains(i);
    auto const expected = has_left ? (i == 1 ? "user0: x\n" : "") : "user0: x\nuser0: y\n";
    BOOST_TEST(many[i].peer.written == "hello " + std::to_string(i + 1) + "\n" + expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
