// A room whose members are on several shards.

#include <boost/test/unit_test.hpp>
#include <deque>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "several_shards.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

struct three_shards : several_shards {
  explicit three_shards(unsigned seed = 1, room_settings const& settings = {}, log_factory const& make = in_memory)
      : several_shards(3, settings, seed, make) {
    create_lobby();
  }
};

/// Presence is told of two members at most.
struct quiet_shards : three_shards {
  quiet_shards() : three_shards(1, {.announce_limit = 2}) {}
};

/// A log that does not take some of what is wanted.
struct choosy_log final : event_log {
  memory_log taken;
  std::vector<draft> failed;

  explicit choosy_log(executor ex) : taken(ex) {}

  /// With it comes something that has a place, so that the reader wakes up.
  void append(draft wanted) override {
    if (wanted.text == "no") {
      failed.push_back(wanted);
      wanted = {.from = {9, 9, 9}, .wants = draft::kind::leave};
    }
    taken.append(std::move(wanted));
  }
  awaitable<log_batch> next() override {
    auto news = co_await taken.next();
    news.failed = std::exchange(failed, {});
    co_return news;
  }
  void close() override { taken.close(); }
};

/// A log that breaks when it is told to.
struct brittle_log final : event_log {
  memory_log whole;
  bool breaks = false;

  explicit brittle_log(executor ex) : whole(ex) {}

  void append(draft wanted) override {
    breaks = breaks || wanted.text == "break";
    whole.append(std::move(wanted));
  }
  awaitable<log_batch> next() override {
    auto news = co_await whole.next();
    if (breaks) throw std::bad_alloc();
    co_return news;
  }
  void close() override { whole.close(); }
};

struct brittle_shards : three_shards {
  brittle_shards()
      : three_shards(1, {}, [](executor home, std::string const&) { return std::make_unique<brittle_log>(home); }) {}
};

struct choosy_shards : three_shards {
  choosy_shards()
      : three_shards(1, {}, [](executor home, std::string const&) { return std::make_unique<choosy_log>(home); }) {}
};

/// What follows the greeting.
std::string_view news_of(user const& of) {
  std::string_view const all = of.peer.written;
  return all.substr(all.find('\n') + 1);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shards, three_shards)

BOOST_AUTO_TEST_CASE(a_member_on_another_shard_hears_what_one_at_home_hears) {
  user home(lobby_on(0), named("al"));
  settle();
  user other(lobby_on(1), named("bo"));
  settle();
  other.say("x");
  home.say("y");
  settle();
  BOOST_TEST(home.peer.written == "welcome lobby al 1 1000:0\n1 joined al 1\n2 joined bo 2\n3 al: y\n4 bo: x\n");
  BOOST_TEST(other.peer.written == "welcome lobby bo 2 1000:1\n2 joined bo 2\n3 al: y\n4 bo: x\n");
  BOOST_TEST(other.name == "bo");
  BOOST_TEST(other.greetings == 1);
  other.leave();
  settle();
  BOOST_TEST(home.peer.written.ends_with("5 left bo 1\n"));
}

/// Seeded schedules: who comes later hears the same from then on, in the same order.
BOOST_AUTO_TEST_CASE(all_are_greeted_first_and_hear_the_same_in_the_same_order) {
  for (unsigned seed = 0; seed != 30; ++seed) {
    three_shards at(seed);
    std::deque<user> all;
    all.emplace_back(at.lobby_on(0));
    at.settle();
    for (int step = 0; step != 60; ++step) {
      if (step % 7 == 0) all.emplace_back(at.lobby_on(static_cast<shard_id>(all.size() % 3)));
      for (auto& u : all)
        if (u.greetings == 1) u.say(std::to_string(step));
      for (unsigned turn = 0; turn != 1 + seed; ++turn) at.any_turn();
    }
    at.settle();
    auto const everything = news_of(all.front());
    for (auto& u : all) {
      BOOST_REQUIRE(u.peer.written.starts_with("welcome lobby " + u.name + " "));
      BOOST_REQUIRE(everything.ends_with(news_of(u)));
      BOOST_REQUIRE(news_of(u).find(" joined " + u.name + " ") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(who_comes_to_another_shard_gets_the_past) {
  user a(lobby_on(0));
  for (auto const* const said : {"x", "y", "z"}) {
    settle();
    a.say(said);
  }
  settle();
  join_request since;
  since.since = cursor{epoch, 3};
  user b(lobby_on(1), with_history(2));
  settle();
  user c(lobby_on(2), since);
  settle();
  BOOST_TEST(b.peer.written ==
             "welcome lobby user1 2 1000:2\n3 user0: y\n4 user0: z\n5 joined user1 2\n6 joined user2 3\n");
  BOOST_TEST(c.peer.written ==
             "welcome lobby user2 3 1000:3 recovered\n4 user0: z\n5 joined user1 2\n6 joined user2 3\n");
}

BOOST_AUTO_TEST_CASE(who_leaves_before_it_is_greeted_is_not_and_the_room_goes_on) {
  user a(lobby_on(0));
  settle();
  for (int i = 0; i != 5; ++i) {
    user b(lobby_on(1));
    b.leave();
    settle();
    BOOST_TEST(b.peer.written == "");
  }
  // The greeting is on its way.
  for (int i = 0; i != 5; ++i) {
    user b(lobby_on(1));
    asleep = 1;
    poll(io(1));
    settle();
    b.leave();
    asleep.reset();
    settle();
    BOOST_TEST(b.peer.written == "");
    BOOST_TEST(b.greetings == 0);
  }
  a.news();
  a.say("x");
  settle();
  BOOST_TEST(a.news() == "22 user0: x\n");
}

/// One that had stayed would be closed, and whoever came to it would not be greeted.
BOOST_AUTO_TEST_CASE(a_branch_goes_with_its_last_member) {
  user stays(lobby_on(0));
  auto const require_gone = [this] {
    settle();
    (*this)[1].close_branches();
    user next(lobby_on(1));
    settle();
    BOOST_TEST(next.greetings == 1);
  };
  require_gone();
  {
    user one(lobby_on(1));
    user other(lobby_on(1), {}, text);
    settle();
  }
  require_gone();
  {
    user one(lobby_on(1));
    one.say("x");
  }
  require_gone();
  {
    user one(lobby_on(1));
    settle();
    stays.say("x");
    poll(io(0));
    one.ask_users();
    one.say("y");
    poll(io(1));
    stays.say("z");
  }
  require_gone();
}

/// An answer stands in its place: behind what was fanned out when the room was asked.
BOOST_AUTO_TEST_CASE(questions_are_answered_in_their_place) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(lobby_on(0), join_request{}, text);
  user other(lobby_on(1), named("al"));
  settle();
  other.news();
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) turn(0);
  other.ask_users();
  poll(io(1));
  turn(0);
  BOOST_TEST(other.answers.empty());
  user late(lobby_on(2), named("bo"));
  settle();
  BOOST_TEST(other.answers == std::vector<std::uint64_t>{0}, boost::test_tools::per_element());
  auto const heard = other.news();
  BOOST_TEST(heard.starts_with("514 user0: x\nusers 513 al user0 "));
  BOOST_TEST(heard.ends_with("user99\n515 joined bo 514\n"));
  other.ask_replay(514, 1000);
  settle();
  BOOST_TEST(other.news() == "514 user0: x\n515 joined bo 514\nreplayed 514-515\n");
  BOOST_TEST(other.answers == (std::vector<std::uint64_t>{0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_asks_and_leaves_at_once_costs_the_room_nothing) {
  user a(lobby_on(0));
  for (int i = 0; i != 5; ++i) {
    user b(lobby_on(1));
    settle();
    b.ask_users();
    b.ask_replay(1, 1);
    b.leave();
    settle();
    BOOST_TEST(b.answers.empty());
    a.news();
    a.say("x");
    settle();
    BOOST_TEST(a.news().ends_with(" user0: x\n"));
  }
  // Also while a batch is half done, and another member of that shard goes on.
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(lobby_on(0), join_request{}, text);
  user c(lobby_on(1));
  for (int i = 0; i != 5; ++i) {
    user b(lobby_on(i % 2 == 0 ? 1 : 2));
    settle();
    a.say("y");
    while (!many.front().peer.written.ends_with("y\n")) turn(0);
    b.ask_users();
    poll(io(b.id.shard));
    b.leave();
    settle();
    BOOST_TEST(b.answers.empty());
    many.front().news();
    c.news();
    c.say("z");
    settle();
    BOOST_TEST(c.news().find(": z\n") != std::string::npos);
  }
  std::size_t done = 0;
  catch_up(done);
  settle();
  BOOST_TEST(done == 3U);
}

BOOST_AUTO_TEST_CASE(a_shard_that_sleeps_makes_the_room_wait_and_misses_nothing) {
  user home(lobby_on(0), named("al"));
  user sleeps(lobby_on(1), named("bo"));
  user other(lobby_on(2), named("cy"));
  settle();
  home.say("0");
  settle();
  asleep = 1;
  for (int i = 1; i != 6; ++i) {
    (i % 2 == 0 ? home : other).say(std::to_string(i));
    settle();
  }
  // Two batches are underway to it.
  BOOST_TEST(home.peer.written.ends_with(" cy: 1\n6 al: 2\n"));
  BOOST_TEST(other.peer.written.ends_with(" cy: 1\n6 al: 2\n"));
  BOOST_TEST(!other.in->must_wait());
  for (int i = 0; i != 20 && !other.in->must_wait(); ++i) {
    other.say(std::string(64 * 1024, 'x'));
    settle();
  }
  BOOST_TEST(other.in->must_wait());
  // Its own messages are those that burden a shard.
  BOOST_TEST(!home.in->must_wait());
  other.in->wait();
  home.say("last");
  settle();
  BOOST_TEST(other.times_unburdened == 0);
  asleep.reset();
  settle();
  BOOST_TEST(other.times_unburdened == 1);
  BOOST_TEST(!other.in->must_wait());
  for (auto* const u : {&home, &sleeps, &other}) {
    BOOST_TEST(u->peer.written.find("4 al: 0\n5 cy: 1\n6 al: 2\n7 cy: 3\n") != std::string::npos);
    BOOST_TEST(u->peer.written.find(" al: last\n") != std::string::npos);
    BOOST_TEST((news_of(*u) == news_of(home) || news_of(home).ends_with(news_of(*u))));
    BOOST_TEST(u->peer.gaps.empty());
  }
}

/// What its members have said waits there, and is not lost.
BOOST_AUTO_TEST_CASE(a_home_that_sleeps_keeps_what_is_said) {
  user other(lobby_on(1), named("bo"));
  settle();
  asleep = 0;
  other.news();
  for (int i = 0; i != 20; ++i) {
    other.say(std::string(64 * 1024, 'x'));
    settle();
  }
  BOOST_TEST(other.in->must_wait());
  other.in->wait();
  BOOST_TEST(other.news() == "");
  asleep.reset();
  settle();
  BOOST_TEST(other.times_unburdened == 1);
  BOOST_TEST(other.news().size() > 20 * 64U * 1024);
}

BOOST_AUTO_TEST_CASE(a_slow_member_on_another_shard_misses_exactly_the_announced_events) {
  user home(lobby_on(0));
  settle();
  user slow(lobby_on(1), {}, json, 1024);
  user terse_slow(lobby_on(2), {}, text, 1024);
  settle();
  for (auto* u : {&slow, &terse_slow}) {
    u->peer.room = 0;
    u->news();
  }
  home.news();
  slow.say("x");
  for (int i = 0; i != 100; ++i) {
    settle();
    slow.say(std::string(50, 'z'));
  }
  settle();
  auto const everything = home.news();
  for (auto* u : {&slow, &terse_slow}) u->peer.drain(u->channel);
  auto const name = slow.name;
  auto const first = everything.substr(0, everything.find('\n') + 1);
  BOOST_TEST(slow.peer.written == first + "gap 5-104\n");
  // Where its own join was the last to have a place it heard of nothing else.
  BOOST_TEST(terse_slow.peer.written == name + ": x\nskipped 100\n");
}

BOOST_AUTO_TEST_CASE(a_room_that_is_closed_is_silent_everywhere) {
  user a(lobby_on(0));
  user b(lobby_on(1));
  settle();
  for (auto* u : {&a, &b}) u->news();
  b.say("x");
  poll(io(1));
  close();
  b.say("too late");
  a.say("too late");
  settle();
  for (auto* u : {&a, &b}) BOOST_TEST(u->news() == "");
  BOOST_TEST(!b.in->must_wait());
}

BOOST_FIXTURE_TEST_CASE(what_is_refused_comes_back_to_the_shard_of_who_wanted_it, choosy_shards) {
  user a(lobby_on(0));
  user b(lobby_on(1));
  user cannot_join(lobby_on(2), named("no"));
  settle();
  BOOST_TEST(cannot_join.greetings == 0);
  BOOST_REQUIRE(cannot_join.refused.size() == 1U);
  BOOST_TEST((cannot_join.refused[0].wants == draft::kind::join));
  cannot_join.leave();
  settle();
  for (auto* u : {&a, &b}) u->news();
  b.say("yes");
  b.in->say("no", "mark");
  settle();
  BOOST_REQUIRE(b.refused.size() == 1U);
  BOOST_TEST(b.refused[0].id == "mark");
  BOOST_TEST((b.refused[0].from == b.id));
  BOOST_TEST(a.refused.empty());
  BOOST_TEST(a.news().find(": yes\n") != std::string::npos);
  // Nothing of it is on its way any more.
  for (int i = 0; i != 40; ++i) {
    b.in->say("no", std::string(64 * 1024, 'x'));
    settle();
  }
  BOOST_TEST(b.refused.size() == 41U);
  BOOST_TEST(!b.in->must_wait());
}

BOOST_FIXTURE_TEST_CASE(who_has_gone_gets_back_nothing_that_is_refused, choosy_shards) {
  user a(lobby_on(0));
  for (int i = 0; i != 5; ++i) {
    user b(lobby_on(1));
    settle();
    b.say("no");
    poll(io(1));
    b.leave();
    settle();
    BOOST_TEST(b.refused.empty());
    a.news();
    a.say("x");
    settle();
    BOOST_TEST(a.news().ends_with(" user0: x\n"));
  }
}

BOOST_FIXTURE_TEST_CASE(in_a_big_room_only_a_member_itself_is_told_of_its_rename, quiet_shards) {
  user a(lobby_on(0), named("al"));
  settle();
  user b(lobby_on(1), named("bo"));
  settle();
  user c(lobby_on(1), named("cy"));
  settle();
  user d(lobby_on(2), named("di"), text);
  settle();
  BOOST_TEST(a.news() == "welcome lobby al 1 1000:0\n1 joined al 1\n2 joined bo 2\nturns 3\n");
  BOOST_TEST(b.news() == "welcome lobby bo 2 1000:1\n2 joined bo 2\nturns 3\n");
  BOOST_TEST(c.news() == "welcome lobby cy 3 1000:2\nturns 3\n");
  d.news();
  b.say("x");
  b.in->rename("bob");
  b.say("y");
  settle();
  d.in->rename("ann");
  settle();
  a.in->rename("al-2");
  settle();
  BOOST_TEST(b.news() == "5 bo: x\n6 renamed bo 4 bob\n7 bob: y\n");
  BOOST_TEST(b.name == "bob");
  BOOST_TEST(c.news() == "5 bo: x\n7 bob: y\n");
  BOOST_TEST(d.news() == "bo: x\nbob: y\n");
  BOOST_TEST(d.name == "ann");
  BOOST_TEST(a.news() == "5 bo: x\n7 bob: y\n9 renamed al 4 al-2\n");
  b.leave();
  settle();
  c.leave();
  settle();
  BOOST_TEST(a.news() == "");
  d.leave();
  settle();
  BOOST_TEST(a.news() == "12 left ann 1\nturns 1\n");
}

BOOST_FIXTURE_TEST_CASE(a_room_that_fails_keeps_nobody_waiting_on_any_shard, brittle_shards) {
  user a(lobby_on(0));
  user b(lobby_on(1));
  settle();
  b.say(std::string(2 * 1024 * 1024, 'x'));
  b.in->wait();
  poll(io(1));
  b.ask_users();
  a.say("break");
  BOOST_CHECK_THROW(settle(), std::bad_alloc);
  settle();
  BOOST_TEST(b.times_unburdened == 1);
  BOOST_TEST(!b.in->must_wait());
  BOOST_TEST(b.answers.size() == 1U);
  // Nor anybody who says more, or comes from a shard where nobody was.
  user c(lobby_on(2));
  for (auto* u : {&b, &c}) {
    u->say(std::string(2 * 1024 * 1024, 'x'));
    settle();
    BOOST_TEST(!u->in->must_wait());
  }
  std::size_t done = 0;
  catch_up(done);
  settle();
  BOOST_TEST(done == 3U);
}

/// Broadcasting goes on all the time, and a delivery is always underway.
BOOST_AUTO_TEST_CASE(catching_up_does_not_wait_for_what_is_said_later) {
  for (unsigned seed = 0; seed != 10; ++seed) {
    three_shards at(seed);
    std::deque<user> all;
    for (shard_id shard = 0; shard != 3; ++shard) all.emplace_back(at.lobby_on(shard));
    at.settle();
    std::size_t done = 0;
    int said = 0;
    for (auto& u : all) u.say("before");
    at.flush();
    at.catch_up(done);
    for (; done != 3 && said != 2000; ++said) {
      all[static_cast<std::size_t>(said) % 3].say("x");
      for (int turn = 0; turn != 3; ++turn) at.any_turn();
    }
    BOOST_TEST(done == 3U);
    BOOST_TEST(said < 500);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
