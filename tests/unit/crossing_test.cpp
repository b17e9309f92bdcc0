// What a room and its branches post to each other, and when.

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "chat/branch.hpp"
#include "running_room.hpp"
#include "support/quiescence.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

/// Keeps what is posted.
struct recording_courier final : courier {
  std::map<shard_id, std::deque<delivery>> deliveries;
  std::deque<submission> submissions;

  void submit(shard_id, std::uint64_t, submission what) override { submissions.push_back(std::move(what)); }
  void deliver(shard_id to, std::uint64_t, delivery what) override { deliveries[to].push_back(std::move(what)); }
};

std::string bytes_of(packet_ptr const& what) { return what ? what->bytes : std::string(); }

/// A room on shard 2 with members on other shards, of which nobody is there.
struct home_of_a_room {
  recording_courier to_others;
  running_room at{{}, running_room::in_memory, to_others};
  std::uint64_t members = 0;

  member_id join_from(shard_id from, dialect_id speaks = json) {
    member_id const who{1, from, 100 + ++members};
    submission joins;
    joins.drafts.push_back({.from = who, .count = 1, .wants = draft::kind::join});
    joins.arrivals.push_back({who, {speaks, unlimited, 0, {}}});
    at.lobby.submitted(from, std::move(joins));
    return who;
  }
  void leave(member_id who, std::uint64_t count, dialect_id speaks = json) {
    submission leaves;
    leaves.drafts.push_back({.from = who, .count = count, .wants = draft::kind::leave});
    leaves.gone[index_of(speaks)] = 1;
    at.lobby.submitted(who.shard, std::move(leaves));
  }
  void ask_users(member_id who) {
    submission asks;
    asks.questions.push_back({who, json, chorus::ask_users{}});
    at.lobby.submitted(who.shard, std::move(asks));
  }
  /// The oldest delivery is taken.
  delivery next_for(shard_id where) {
    auto& waiting = to_others.deliveries[where];
    BOOST_REQUIRE(!waiting.empty());
    auto next = std::move(waiting.front());
    waiting.pop_front();
    take(where);
    poll(at.io);
    return next;
  }
  void take(shard_id from, std::size_t deliveries = 1) {
    submission taken;
    taken.taken = deliveries;
    at.lobby.submitted(from, std::move(taken));
  }
  /// All that was delivered is taken.
  void take_all() {
    for (auto& [from, waiting] : to_others.deliveries) {
      if (waiting.empty()) continue;
      take(from, waiting.size());
      waiting.clear();
    }
    poll(at.io);
  }
};

/// A branch whose room is not there.
struct branch_of_a_room : running_room, private branch::runner {
  recording_courier to_home;
  int coroutines = 0;  ///< that were started
  branch here{commons, {"lobby", epoch}, 7, *this, to_home};

  branch_of_a_room() = default;
  void start(branch& of, awaitable<void> (branch::*task)()) override {
    ++coroutines;
    start_later(io, (of.*task)());
  }

  submission next_submission() {
    BOOST_REQUIRE(!to_home.submissions.empty());
    auto next = std::move(to_home.submissions.front());
    to_home.submissions.pop_front();
    return next;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(deliveries, home_of_a_room)

BOOST_AUTO_TEST_CASE(a_newcomer_on_another_shard_is_greeted_before_its_batch_in_the_same_post) {
  user a(at);
  poll(at.io);
  auto const who = join_from(1);
  poll(at.io);
  BOOST_TEST(to_others.deliveries[1].size() == 1U);
  auto const got = next_for(1);
  BOOST_TEST(got.drafts == 1U);
  BOOST_TEST(got.bytes == sizeof(draft));
  BOOST_REQUIRE(got.newcomers.size() == 1U);
  auto const& newcomer = got.newcomers[0];
  BOOST_TEST((newcomer.who == who));
  BOOST_TEST(newcomer.name == "user1");
  BOOST_TEST(newcomer.users == 2U);
  BOOST_REQUIRE(newcomer.told.size() == 1U);
  BOOST_TEST(bytes_of(newcomer.told[0]) == "welcome lobby user1 2 1000:1\n");
  BOOST_TEST(bytes_of(got.batch[index_of(json)]) == "2 joined user1 2\n");
  BOOST_TEST(bytes_of(got.batch[index_of(text)]) == "");
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_post_for_each_shard_with_members_and_none_for_others) {
  user a(at);
  join_from(1);
  join_from(1);
  auto const d = join_from(3, text);
  poll(at.io);
  take_all();
  at.plain.encoded = at.terse.encoded = 0;
  a.say("x");
  a.say("y");
  poll(at.io);
  BOOST_TEST(to_others.deliveries.size() == 2U);
  BOOST_TEST(to_others.deliveries[1].size() == 1U);
  BOOST_TEST(to_others.deliveries[3].size() == 1U);
  BOOST_TEST(at.plain.encoded == 1);
  BOOST_TEST(at.terse.encoded == 1);
  auto const first = next_for(1).batch;
  auto const second = next_for(3).batch;
  BOOST_TEST(bytes_of(first[index_of(json)]) == "5 user0: x\n6 user0: y\n");
  BOOST_TEST(bytes_of(second[index_of(text)]) == "user0: x\nuser0: y\n");
  // Of a dialect that nobody speaks there it gets nothing.
  BOOST_TEST(first[index_of(text)] == nullptr);
  BOOST_TEST(second[index_of(json)] == nullptr);
  // Whose last member has left is told only that this has its place.
  leave(d, 2, text);
  poll(at.io);
  auto const last = next_for(3);
  BOOST_TEST(last.drafts == 1U);
  BOOST_TEST((last.batch == packets()));
  BOOST_TEST(bytes_of(next_for(1).batch[index_of(json)]) == "7 left user3 3\n");
  a.say("z");
  poll(at.io);
  BOOST_TEST(to_others.deliveries[1].size() == 1U);
  BOOST_TEST(to_others.deliveries[3].empty());
}

BOOST_AUTO_TEST_CASE(all_shards_share_what_is_encoded) {
  join_from(1);
  join_from(3);
  poll(at.io);
  take_all();
  user a(at);
  poll(at.io);
  BOOST_TEST(next_for(1).batch[index_of(json)] == next_for(3).batch[index_of(json)]);
}

/// In which nothing but presence happens, which text is not told of.
BOOST_AUTO_TEST_CASE(a_batch_of_which_nothing_is_told_is_no_post) {
  join_from(1, text);
  poll(at.io);
  take_all();
  user a(at);
  poll(at.io);
  BOOST_TEST(to_others.deliveries[1].empty());
}

BOOST_AUTO_TEST_CASE(at_most_two_are_underway_and_the_room_waits_for_the_one_before_the_last) {
  user a(at);
  join_from(1);
  join_from(3);
  poll(at.io);
  take_all();
  a.news();
  for (int i = 0; i != 5; ++i) {
    a.say(std::to_string(i));
    poll(at.io);
    if (!to_others.deliveries[3].empty()) take(3);
    to_others.deliveries[3].clear();
  }
  BOOST_TEST(to_others.deliveries[1].size() == 2U);
  BOOST_TEST(a.news() == "4 user0: 0\n5 user0: 1\n");
  BOOST_TEST(!at.lobby.has_caught_up());
  BOOST_TEST(at.lobby.runs());
  // What was said meanwhile is one batch.
  BOOST_TEST(bytes_of(next_for(1).batch[index_of(json)]) == "4 user0: 0\n");
  BOOST_TEST(a.news() == "6 user0: 2\n7 user0: 3\n8 user0: 4\n");
  BOOST_TEST(bytes_of(next_for(1).batch[index_of(json)]) == "5 user0: 1\n");
  BOOST_TEST(bytes_of(next_for(1).batch[index_of(json)]) == "6 user0: 2\n7 user0: 3\n8 user0: 4\n");
  take(3);
  BOOST_TEST(at.lobby.has_caught_up());
  BOOST_TEST(!at.lobby.runs());
}

BOOST_AUTO_TEST_CASE(a_room_that_waits_for_a_shard_burdens_who_speaks) {
  user a(at);
  join_from(1);
  poll(at.io);
  take_all();
  for (int i = 0; i != 2; ++i) {
    a.say("x");
    poll(at.io);
  }
  a.say(std::string(1024 * 1024, 'x'));
  poll(at.io);
  BOOST_TEST(a.in->must_wait());
  a.in->wait();
  take(1);
  poll(at.io);
  BOOST_TEST(!a.in->must_wait());
  BOOST_TEST(a.times_unburdened == 1);
}

BOOST_AUTO_TEST_CASE(an_answer_is_posted_at_once_where_no_batch_is_half_done) {
  auto const who = join_from(1);
  poll(at.io);
  take_all();
  ask_users(who);
  BOOST_REQUIRE(to_others.deliveries[1].size() == 1U);
  auto const got = next_for(1);
  BOOST_REQUIRE(got.notes.size() == 1U);
  BOOST_TEST((got.notes[0].who == who));
  BOOST_TEST((got.notes[0].answers == 0));
  BOOST_TEST(bytes_of(got.notes[0].what[index_of(json)]) == "users 1 user0\n");
}

BOOST_AUTO_TEST_CASE(an_answer_stands_behind_the_batch_that_is_half_done) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(at, join_request{}, text);
  auto const who = join_from(1);
  poll(at.io);
  take_all();
  many.front().say("x");
  // The others work while this shard does.
  while (to_others.deliveries[1].empty()) poll_one(at.io);
  BOOST_TEST(!many.back().peer.written.ends_with("x\n"));
  ask_users(who);
  poll_one(at.io);
  BOOST_TEST(to_others.deliveries[1].size() == 1U);
  poll(at.io);
  BOOST_TEST(bytes_of(next_for(1).batch[index_of(json)]) == "514 user0: x\n");
  BOOST_TEST(bytes_of(next_for(1).notes.at(0).what[index_of(json)]).starts_with("users 513 "));
}

BOOST_AUTO_TEST_CASE(have_caught_up_when_all_are_taken) {
  user a(at);
  join_from(1);
  poll(at.io);
  take_all();
  a.say("x");
  auto done = false;
  start(at.io, catch_up(at.lobby, done));
  BOOST_TEST(a.peer.written.ends_with("x\n"));
  BOOST_TEST(!done);
  take(1);
  poll(at.io);
  BOOST_TEST(done);
}

/// So much is said that always something is underway.
BOOST_AUTO_TEST_CASE(of_what_is_said_later_are_not_waited_for) {
  user a(at);
  join_from(1);
  poll(at.io);
  take_all();
  a.say("x");
  auto done = false;
  start(at.io, catch_up(at.lobby, done));
  a.say("y");
  poll(at.io);
  BOOST_TEST(!done);
  take(1);
  poll(at.io);
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(of_a_room_that_is_closed_are_not_waited_for) {
  user a(at);
  join_from(1);
  poll(at.io);
  take_all();
  auto done = false;
  a.say("x");
  start(at.io, catch_up(at.lobby, done));
  BOOST_TEST(!done);
  at.lobby.close();
  poll(at.io);
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(submissions, branch_of_a_room)

BOOST_AUTO_TEST_CASE(gather_what_members_want_until_they_are_quiet) {
  user a(here.here(), named("al"));
  user b(here.here(), with_history(5), text);
  for (int i = 0; i != 10; ++i) {
    a.say(std::to_string(i));
    poll_one(io);
    poll_one(io);
  }
  BOOST_TEST(to_home.submissions.empty());
  poll(io);
  BOOST_TEST(to_home.submissions.size() == 1U);
  BOOST_TEST(coroutines == 1);
  auto const posted = next_submission();
  BOOST_REQUIRE(posted.drafts.size() == 12U);
  BOOST_TEST((posted.drafts[0].wants == draft::kind::join));
  BOOST_TEST(posted.drafts[0].text == "al");
  BOOST_TEST(posted.drafts[11].text == "9");
  BOOST_REQUIRE(posted.arrivals.size() == 2U);
  BOOST_TEST((posted.arrivals[1].first == b.id));
  BOOST_TEST((posted.arrivals[1].second.speaks == text));
  BOOST_TEST(posted.arrivals[1].second.history == 5U);
}

BOOST_AUTO_TEST_CASE(are_bounded_in_time) {
  user a(here.here());
  for (int turn = 0; turn != 10 * quiescence::max_turns; ++turn) {
    a.say("x");
    poll_one(io);
  }
  BOOST_TEST(to_home.submissions.size() >= 9U);
  BOOST_TEST(to_home.submissions.size() <= 11U);
  poll(io);
}

BOOST_AUTO_TEST_CASE(in_which_somebody_leaves_do_not_wait) {
  {
    user a(here.here());
    a.say("x");
    BOOST_TEST(to_home.submissions.empty());
  }
  BOOST_REQUIRE(to_home.submissions.size() == 1U);
  auto const posted = next_submission();
  BOOST_TEST(posted.drafts.size() == 3U);
  BOOST_TEST((posted.drafts[2].wants == draft::kind::leave));
  // It has never listened.
  BOOST_TEST((posted.gone == listener_count()));
  poll(io);
  BOOST_TEST(to_home.submissions.empty());
}

BOOST_AUTO_TEST_CASE(tell_what_is_taken_and_who_does_not_hear_any_more) {
  user a(here.here());
  user b(here.here(), {}, text);
  poll(io);
  next_submission();
  delivery first;
  first.drafts = 2;
  first.bytes = 2 * sizeof(draft);
  first.newcomers.push_back({a.id, json, {make_packet("hello a\n")}, "a", 1});
  first.newcomers.push_back({b.id, text, {make_packet("hello b\n")}, "b", 2});
  b.leave();
  here.delivered(std::move(first));
  next_submission();
  poll(io);
  BOOST_TEST(a.peer.written == "hello a\n");
  BOOST_TEST(a.name == "a");
  // The room has counted it.
  auto const taken = next_submission();
  BOOST_TEST(taken.taken == 1U);
  BOOST_TEST(taken.gone[index_of(json)] == 0U);
  BOOST_TEST(taken.gone[index_of(text)] == 1U);
  a.leave();
  BOOST_TEST(next_submission().gone[index_of(json)] == 1U);
}

BOOST_AUTO_TEST_CASE(follow_deliveries_one_by_one) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(here.here());
  delivery first;
  first.drafts = many.size();
  first.bytes = many.size() * sizeof(draft);
  for (auto& u : many) first.newcomers.push_back({u.id, json, {}, "", 1});
  here.delivered(std::move(first));
  poll(io);
  to_home.submissions.clear();
  delivery second;
  second.batch[index_of(json)] = make_packet("x\n");
  delivery third;
  third.batch[index_of(json)] = make_packet("y\n");
  here.delivered(std::move(second));
  here.delivered(std::move(third));
  while (to_home.submissions.empty()) poll_one(io);
  for (auto& u : many) BOOST_TEST(u.peer.written.starts_with("x\n"));
  BOOST_TEST(many.back().peer.written == "x\n");
  poll(io);
  for (auto& u : many) BOOST_TEST(u.peer.written == "x\ny\n");
  BOOST_TEST(next_submission().taken == 1U);
  BOOST_TEST(next_submission().taken == 1U);
}

BOOST_AUTO_TEST_CASE(are_needed_until_nobody_is_here_and_nothing_is_on_its_way) {
  BOOST_TEST(here.may_go());
  {
    user a(here.here());
    BOOST_TEST(!here.may_go());
    poll(io);
  }
  BOOST_TEST(!here.may_go());
  delivery one;
  one.drafts = 1;
  one.bytes = sizeof(draft);
  auto other = one;
  here.delivered(std::move(one));
  poll(io);
  BOOST_TEST(!here.may_go());
  here.delivered(std::move(other));
  poll(io);
  BOOST_TEST(here.may_go());
}

BOOST_AUTO_TEST_CASE(are_dropped_after_the_close_and_posted_before) {
  user a(here.here());
  a.say(std::string(2 * 1024 * 1024, 'x'));
  BOOST_TEST(a.in->must_wait());
  a.in->wait();
  here.close();
  BOOST_TEST(next_submission().drafts.size() == 2U);
  BOOST_TEST(a.times_unburdened == 1);
  BOOST_TEST(!a.in->must_wait());
  a.say("too late");
  poll(io);
  BOOST_TEST(to_home.submissions.empty());
  // Who asks is still answered.
  a.ask_users();
  poll(io);
  BOOST_TEST(next_submission().questions.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
