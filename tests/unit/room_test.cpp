// A room and its members: what they hear, and in which order.

#include "chat/room.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <new>
#include <optional>
#include <range/v3/algorithm/count.hpp>
#include <range/v3/algorithm/count_if.hpp>
#include <set>
#include <string>
#include <vector>

#include "running_room.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

constexpr auto text = dialect_id::text;
constexpr auto json = dialect_id::json;

/// A message of this size is a whole slice by itself.
constexpr std::size_t slice_of_bytes = 8 * 1024 * slice;

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

room_settings with_announce_limit(std::size_t limit) {
  room_settings settings;
  settings.announce_limit = limit;
  return settings;
}

join_request with_history(std::uint64_t messages) {
  join_request wishes;
  wishes.history = messages;
  return wishes;
}

join_request since(std::uint64_t seq, std::uint64_t epoch = running_room::epoch) {
  join_request wishes;
  wishes.since = cursor{epoch, seq};
  return wishes;
}

std::string message(std::uint64_t seq, std::string const& name, std::string const& said) {
  return std::to_string(seq) + " " + name + ": " + said + "\n";
}

/// Says what it is told to in each turn, until it is told to end.
awaitable<void> flood(net::io_context& io, user& by, std::string what, int messages) {
  for (int i = 0; i != messages; ++i) {
    by.say(what);
    co_await net::post(io, use_awaitable);
  }
}

awaitable<void> ask_users_of(user& by, bool& answered) {
  co_await by.in->ask_users();
  answered = true;
}

awaitable<void> ask_replay_of(user& by, replay asked, std::optional<std::uint64_t>& covered) {
  auto const events = co_await by.in->ask_replay(asked);
  covered = events;
}

awaitable<void> catch_up(room& with, bool& done) {
  co_await with.caught_up();
  done = true;
}

awaitable<void> wait_while_behind(room& is, bool& done) {
  co_await is.wait_while_behind();
  done = true;
}

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

std::string ask_users_now(running_room& at, user& by) {
  poll(at.io);
  by.news();
  auto answered = false;
  start(at.io, ask_users_of(by, answered));
  BOOST_TEST(answered);
  return by.news();
}

std::string ask_replay_now(running_room& at, user& by, replay asked, std::uint64_t covers) {
  poll(at.io);
  by.news();
  std::optional<std::uint64_t> covered;
  start(at.io, ask_replay_of(by, asked, covered));
  BOOST_TEST((covered == covers));
  return by.news();
}

struct quiet_room : running_room {
  quiet_room() : running_room(with_announce_limit(2)) {}
};

struct no_history_room : running_room {
  no_history_room()
      : running_room([] {
          room_settings settings;
          settings.history_messages = 0;
          return settings;
        }()) {}
};

struct short_history_room : running_room {
  short_history_room()
      : running_room([] {
          room_settings settings;
          settings.history_messages = 2;
          return settings;
        }()) {}
};

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
    BOOST_TEST(starter.times == 2);
    poll(io);
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

/// Dies while a batch is fanned out in slices, and answers are waited for.
BOOST_AUTO_TEST_CASE(a_room_whose_broadcaster_fails_keeps_nobody_waiting) {
  speechless_dialect speechless;
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(*this, join_request{}, text);
  user other(*this);
  poll(io);
  commons.dialects.all[static_cast<std::size_t>(json)] = &speechless;
  many.front().say("x");
  while (!many.front().peer.written.ends_with("x\n")) poll_one(io);
  auto answered = false;
  auto caught_up = false;
  auto unburdened = false;
  start_later(io, ask_users_of(other, answered));
  start_later(io, catch_up(lobby, caught_up));
  BOOST_CHECK_THROW(poll(io), std::bad_alloc);
  poll(io);
  BOOST_TEST(answered);
  BOOST_TEST(caught_up);
  // Nor anybody who asks afterwards.
  answered = false;
  start(io, ask_users_of(other, answered));
  BOOST_TEST(answered);
  start(io, wait_while_behind(lobby, unburdened));
  BOOST_TEST(unburdened);
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

BOOST_FIXTURE_TEST_SUITE(the_past, running_room)

BOOST_AUTO_TEST_CASE(a_newcomer_gets_the_last_messages_and_what_lies_between_them) {
  user a(*this);
  for (auto const* const said : {"x", "y", "z"}) {
    poll(io);
    a.say(said);
  }
  poll(io);
  a.in->rename("al");
  poll(io);
  user b(*this, with_history(2));
  user c(*this, with_history(2), text);
  user d(*this, with_history(100));
  user e(*this, with_history(0));
  poll(io);
  auto const own = std::string("6 joined user1 2\n7 joined user2 3\n8 joined user3 4\n9 joined user4 5\n");
  auto const last = std::string("3 user0: y\n4 user0: z\n5 renamed user0 1 al\n");
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:2\n" + last + own);
  BOOST_TEST(c.peer.written == "hello 3\nuser0: y\nuser0: z\n");
  BOOST_TEST(d.peer.written == "welcome lobby user3 4 1000:1\n2 user0: x\n" + last + own);
  BOOST_TEST(e.peer.written == "welcome lobby user4 5 1000:5\n" + own);
}

BOOST_AUTO_TEST_CASE(a_cursor_resumes_after_its_event) {
  user a(*this);
  for (auto const* const said : {"x", "y"}) {
    poll(io);
    a.say(said);
  }
  poll(io);
  user b(*this, since(2));
  user c(*this, since(3));
  user d(*this, since(0));
  poll(io);
  auto const own = std::string("4 joined user1 2\n5 joined user2 3\n6 joined user3 4\n");
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:2 recovered\n3 user0: y\n" + own);
  BOOST_TEST(c.peer.written == "welcome lobby user2 3 1000:3 recovered\n" + own);
  BOOST_TEST(d.peer.written ==
             "welcome lobby user3 4 1000:0 recovered\n1 joined user0 1\n2 user0: x\n3 user0: y\n" + own);
}

BOOST_AUTO_TEST_CASE(a_cursor_of_another_room_or_time_is_a_fresh_join) {
  user a(*this);
  poll(io);
  a.say("x");
  poll(io);
  user other_epoch(*this, since(1, epoch + 1));
  user from_the_future(*this, since(3));
  auto with_both = since(1, epoch - 1);
  with_both.history = 1;
  user falls_back(*this, with_both);
  user speaks_text(*this, since(0), text);
  poll(io);
  BOOST_TEST(other_epoch.peer.written.starts_with("welcome lobby user1 2 1000:2\n3 joined"));
  BOOST_TEST(from_the_future.peer.written.starts_with("welcome lobby user2 3 1000:2\n3 joined"));
  BOOST_TEST(falls_back.peer.written.starts_with("welcome lobby user3 4 1000:1\n2 user0: x\n3 joined"));
  BOOST_TEST(speaks_text.peer.written == "hello 5\n");
}

BOOST_AUTO_TEST_CASE(a_cursor_wins_over_history) {
  user a(*this);
  for (auto const* const said : {"x", "y"}) {
    poll(io);
    a.say(said);
  }
  poll(io);
  auto both = since(2);
  both.history = 2;
  user b(*this, both);
  poll(io);
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:2 recovered\n3 user0: y\n4 joined user1 2\n");
}

/// The greeting, a notice and two of three batches.
BOOST_AUTO_TEST_CASE(what_does_not_fit_from_the_old_end_is_a_gap) {
  user a(*this);
  poll(io);
  for (int i = 0; i != 3; ++i) {
    a.say(std::string(100, 'x'));
    a.say("y");
    poll(io);
  }
  auto const batch = [](int seq) {
    return message(seq, "user0", std::string(100, 'x')) + message(seq + 1, "user0", "y");
  };
  auto const welcome = std::string("welcome lobby user1 2 1000:0 recovered\n");
  auto const two_batches = batch(4) + batch(6);
  user b(*this, since(0), json, welcome.size() + 100 + two_batches.size());
  user c(*this, with_history(6), text, 110 + 2 * 119);
  user d(*this, since(2), json, 0);
  poll(io);
  BOOST_TEST(b.peer.written ==
             welcome + "gap 1-3\n" + two_batches + "8 joined user1 2\n9 joined user2 3\n10 joined user3 4\n");
  BOOST_TEST(c.peer.written.starts_with("hello 3\nskipped 2\nuser0: xxx"));
  BOOST_TEST(
      d.peer.written ==
      "welcome lobby user3 4 1000:2 recovered\ngap 3-7\n8 joined user1 2\n9 joined user2 3\n10 joined user3 4\n");
}

BOOST_FIXTURE_TEST_CASE(what_the_room_does_not_have_any_more_is_a_gap, short_history_room) {
  user a(*this);
  poll(io);
  for (int i = 0; i != 4; ++i) {
    a.say(std::to_string(i));
    poll(io);
  }
  user lost(*this, since(1));
  user barely(*this, since(3));
  user more_than_there(*this, with_history(4));
  user neither(*this, since(1), json, 0);
  poll(io);
  auto const kept = std::string("4 user0: 2\n5 user0: 3\n");
  auto const own = std::string("6 joined user1 2\n7 joined user2 3\n8 joined user3 4\n9 joined user4 5\n");
  BOOST_TEST(lost.peer.written == "welcome lobby user1 2 1000:1\ngap 2-3\n" + kept + own);
  BOOST_TEST(barely.peer.written == "welcome lobby user2 3 1000:3 recovered\n" + kept + own);
  BOOST_TEST(more_than_there.peer.written == "welcome lobby user3 4 1000:3\n" + kept + own);
  BOOST_TEST(neither.peer.written == "welcome lobby user4 5 1000:1\ngap 2-5\n" + own);
}

BOOST_FIXTURE_TEST_CASE(a_room_that_keeps_nothing_names_all_of_it, no_history_room) {
  user a(*this);
  poll(io);
  a.say("x");
  poll(io);
  user b(*this, since(0));
  user c(*this, since(2));
  user d(*this, with_history(5));
  poll(io);
  auto const own = std::string("3 joined user1 2\n4 joined user2 3\n5 joined user3 4\n");
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:0\ngap 1-2\n" + own);
  BOOST_TEST(c.peer.written == "welcome lobby user2 3 1000:2 recovered\n" + own);
  BOOST_TEST(d.peer.written == "welcome lobby user3 4 1000:2\n" + own);
}

BOOST_AUTO_TEST_SUITE_END()

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
  std::optional<std::uint64_t> covered;
  auto answered = false;
  start(io, ask_users_of(a, answered));
  start(io, ask_replay_of(a, {3, 3}, covered));
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
  auto answered = false;
  std::optional<std::uint64_t> covered;
  start_later(io, ask_users_of(late, answered));
  start_later(io, ask_replay_of(late, {514, 514}, covered));
  poll_one(io);
  poll_one(io);
  BOOST_TEST(late.peer.written == "");
  poll(io);
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
  auto answered = false;
  start_later(io, ask_users_of(few.back(), answered));
  poll(io);
  BOOST_TEST(answered);
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
  auto answered = false;
  start_later(io, ask_users_of(late, answered));
  poll_one(io);
  late.leave();
  poll(io);
  BOOST_TEST(answered);
  BOOST_TEST(late.news() == "");
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
  poll(io);
  BOOST_TEST(!lobby.is_behind());
  auto unburdened = std::array{false, false};
  for (auto& each : unburdened) start_later(io, wait_while_behind(lobby, each));
  a.say(std::string(limit - 1 - sizeof(draft), 'x'));
  BOOST_TEST(!lobby.is_behind());
  a.say("");
  BOOST_TEST(lobby.is_behind());
  poll_one(io);
  poll_one(io);
  BOOST_TEST(!unburdened[0]);
  poll(io);
  BOOST_TEST(unburdened[0]);
  BOOST_TEST(unburdened[1]);
  // Nothing of it is left.
  a.say(std::string(limit - 1 - sizeof(draft), 'x'));
  BOOST_TEST(!lobby.is_behind());
  a.say("");
  BOOST_TEST(lobby.is_behind());
}

BOOST_AUTO_TEST_CASE(a_closed_room_is_not_behind) {
  user a(*this);
  poll(io);
  auto unburdened = false;
  auto caught_up = false;
  start_later(io, wait_while_behind(lobby, unburdened));
  start_later(io, catch_up(lobby, caught_up));
  a.say(std::string(2 * 1024 * 1024, 'x'));
  poll_one(io);
  poll_one(io);
  BOOST_TEST(!unburdened);
  BOOST_TEST(!caught_up);
  lobby.close();
  BOOST_TEST(!lobby.is_behind());
  poll(io);
  BOOST_TEST(unburdened);
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
