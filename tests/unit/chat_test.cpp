// The log, the broadcaster and the room.

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <range/v3/algorithm/count_if.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "chat/event_log.hpp"
#include "chat/room.hpp"
#include "fake_sink.hpp"
#include "protocol/text_dialect.hpp"
#include "run.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

struct log_reader {
  net::io_context io;
  event_log log{io.get_executor()};
  std::vector<batch> batches;
  bool ended = false;

  awaitable<void> read() {
    for (;;) {
      auto events = co_await log.next();
      if (events.empty()) break;
      batches.push_back(std::move(events));
    }
    ended = true;
  }

  /// Says something in each of the next turns of the executor, as read loops with buffered input do.
  awaitable<void> talk(int messages, int turns_between) {
    for (int i = 0; i != messages; ++i) {
      log.append("user", std::to_string(i));
      for (int turn = 0; turn != turns_between; ++turn) co_await net::post(io, use_awaitable);
    }
  }
};

/// A dialect that counts how often it encodes and writes events as their seq.
class counting_dialect final : public dialect {
 public:
  int mutable encoded = 0;

  std::string greeting(std::size_t users) const override { return "<" + std::to_string(users) + ">"; }
  std::string encode(std::span<event const> events) const override {
    ++encoded;
    std::string text;
    for (auto const& e : events) text += std::to_string(e.seq) + e.text + " ";
    return text;
  }
  std::string gap(std::uint64_t, std::uint64_t) const override { return {}; }
  std::optional<std::string> decode(opcode, std::string_view) const override { return std::nullopt; }
};

struct user {
  fake_sink peer;
  outbound_channel out;
  member in;

  user(net::io_context& io, room& lobby, dialect const& speaks)
      : out((peer.room = std::numeric_limits<std::size_t>::max(), io.get_executor()), 1024, peer),
        in(lobby, speaks, out) {}
};

class failing_dialect final : public dialect {
 public:
  std::string greeting(std::size_t) const override { return {}; }
  std::string encode(std::span<event const>) const override { throw std::bad_alloc(); }
  std::string gap(std::uint64_t, std::uint64_t) const override { return {}; }
  std::optional<std::string> decode(opcode, std::string_view) const override { return std::nullopt; }
};

/// Greeting first, then numbers that rise by one.
bool is_unbroken(std::string const& written) {
  std::istringstream rest(written.substr(written.find('>') + 1));
  int last = 0;
  for (int seq = 0; rest >> seq; last = seq)
    if (last != 0 && seq != last + 1) return false;
  return written.starts_with('<') && rest.eof();
}

/// The last number is `seq`, or there is none because it joined after that.
bool ends_with_seq(std::string const& written, int seq) {
  return written.ends_with('>') || written.ends_with(">" + std::to_string(seq) + " ") ||
         written.ends_with(" " + std::to_string(seq) + " ");
}

struct running_room {
  net::io_context io;
  counting_dialect numbers;
  room lobby{io.get_executor()};

  running_room() { start(io, lobby.run()); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(log, log_reader)

BOOST_AUTO_TEST_CASE(numbers_events_from_one_without_holes) {
  BOOST_TEST(log.append("a", "x") == 1U);
  BOOST_TEST(log.append("b", "y") == 2U);
  start(io, read());
  BOOST_REQUIRE(batches.size() == 1U);
  BOOST_REQUIRE(batches[0].size() == 2U);
  BOOST_TEST(batches[0][0].seq == 1U);
  BOOST_TEST(batches[0][1].seq == 2U);
  BOOST_TEST(batches[0][1].from == "b");
  BOOST_TEST(batches[0][1].text == "y");
}

BOOST_AUTO_TEST_CASE(yields_nothing_while_nothing_is_said) {
  start(io, read());
  BOOST_TEST(batches.empty());
  BOOST_TEST(!ended);
  log.append("a", "x");
  poll(io);
  BOOST_TEST(batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE(gathers_what_is_right_behind) {
  start(io, read());
  start(io, talk(10, 3));
  BOOST_TEST(batches.size() == 1U);
  BOOST_TEST(batches[0].size() == 10U);
}

BOOST_AUTO_TEST_CASE(does_not_wait_for_what_comes_later) {
  start(io, read());
  start(io, talk(2, 50));
  BOOST_TEST(batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_bounded_in_time) {
  start(io, read());
  start(io, talk(1000, 1));
  BOOST_TEST(batches.size() >= 1000U / event_log::max_turns);
}

BOOST_AUTO_TEST_CASE(a_batch_is_bounded_in_size) {
  auto const third = std::string(event_log::max_batch_bytes / 3, 'x');
  for (int i = 0; i != 7; ++i) log.append("", third);
  start(io, read());
  BOOST_REQUIRE(batches.size() == 3U);
  BOOST_TEST(batches[0].size() == 3U);
  BOOST_TEST(batches[2].size() == 1U);
  BOOST_TEST(batches[2][0].seq == 7U);
}

BOOST_AUTO_TEST_CASE(a_message_over_the_batch_size_goes_alone) {
  log.append("", "before");
  log.append("", std::string(2 * event_log::max_batch_bytes, 'x'));
  log.append("", "after");
  start(io, read());
  BOOST_REQUIRE(batches.size() == 3U);
  BOOST_TEST(batches[1].size() == 1U);
}

BOOST_AUTO_TEST_CASE(is_full_until_its_reader_takes_something) {
  auto const whole = std::string(event_log::max_batch_bytes, 'x');
  for (std::size_t i = 0; i != event_log::max_pending; ++i) {
    BOOST_TEST(!log.full());
    log.append("", whole);
  }
  BOOST_TEST(log.full());
  int waiting = 3;
  auto const wait = [&]() -> awaitable<void> {
    co_await log.wait_while_full();
    // One takes the place that is free, so that the others go on waiting.
    log.append("", whole);
    --waiting;
  };
  for (int i = 0; i != 3; ++i) start(io, wait());
  BOOST_TEST(waiting == 3);
  auto const take_one = [&]() -> awaitable<void> { co_await log.next(); };
  for (int left = 2; left >= 0; --left) {
    start(io, take_one());
    BOOST_TEST(waiting == left);
    BOOST_TEST(log.full());
  }
}

BOOST_AUTO_TEST_CASE(a_closed_log_keeps_nobody_waiting) {
  for (std::size_t i = 0; i != event_log::max_pending; ++i)
    log.append("", std::string(event_log::max_batch_bytes, 'x'));
  int waiting = 2;
  auto const wait_for_room = [&]() -> awaitable<void> {
    co_await log.wait_while_full();
    --waiting;
  };
  auto const wait_for_reader = [&]() -> awaitable<void> {
    co_await log.caught_up();
    --waiting;
  };
  start(io, wait_for_room());
  start(io, wait_for_reader());
  BOOST_TEST(waiting == 2);
  log.close();
  poll(io);
  BOOST_TEST(waiting == 0);
}

BOOST_AUTO_TEST_CASE(has_caught_up_when_the_reader_comes_back_for_more) {
  log.append("a", "x");
  bool caught_up = false;
  auto const wait = [&]() -> awaitable<void> {
    co_await log.caught_up();
    caught_up = true;
  };
  auto const take_one = [&]() -> awaitable<void> { co_await log.next(); };
  start(io, take_one());
  start(io, wait());
  BOOST_TEST(!caught_up);
  // There is nothing more, and that does not matter.
  start(io, take_one());
  BOOST_TEST(caught_up);
}

BOOST_AUTO_TEST_CASE(close_yields_what_was_said_and_then_ends) {
  start(io, read());
  log.append("a", "x");
  log.close();
  BOOST_TEST(log.append("a", "too late") == 0U);
  poll(io);
  BOOST_TEST(batches.size() == 1U);
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(rooms, running_room)

BOOST_AUTO_TEST_CASE(greeting_counts_the_newcomer_and_comes_first) {
  user first(io, lobby, numbers);
  first.in.say("x");
  user second(io, lobby, numbers);
  poll(io);
  BOOST_TEST(first.peer.written == "<1>1x ");
  BOOST_TEST(second.peer.written.substr(0, 3) == "<2>");
  BOOST_TEST(lobby.users() == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_packet_encoded_once_per_dialect) {
  counting_dialect others;
  user a(io, lobby, numbers);
  user b(io, lobby, numbers);
  user c(io, lobby, others);
  a.in.say("x");
  b.in.say("y");
  poll(io);
  BOOST_TEST(numbers.encoded == 1);
  BOOST_TEST(others.encoded == 1);
  for (auto const* u : {&a, &b, &c}) BOOST_TEST(u->peer.written.substr(3) == "1x 2y ");
}

BOOST_AUTO_TEST_CASE(a_slow_member_misses_exactly_the_announced_events) {
  user slow(io, lobby, numbers);
  slow.peer.room = 0;
  slow.in.say("x");
  for (int i = 0; i != 100; ++i) {
    poll(io);
    slow.in.say(std::string(50, 'z'));
  }
  poll(io);
  slow.peer.drain(slow.out);
  BOOST_TEST(slow.peer.written == "<1>1x <gap 2-101>");
}

BOOST_AUTO_TEST_CASE(names_are_numbered_from_zero_and_never_used_again) {
  user first(io, lobby, numbers);
  BOOST_TEST(first.in.name() == "user0");
  BOOST_TEST(user(io, lobby, numbers).in.name() == "user1");
  BOOST_TEST(user(io, lobby, numbers).in.name() == "user2");
}

BOOST_AUTO_TEST_CASE(who_left_gets_nothing_more) {
  user a(io, lobby, numbers);
  {
    user b(io, lobby, numbers);
    b.in.say("bye");
  }
  BOOST_TEST(lobby.users() == 1U);
  poll(io);
  BOOST_TEST(a.peer.written == "<1>1bye ");
}

BOOST_AUTO_TEST_CASE(nobody_is_encoded_for) {
  {
    user(io, lobby, numbers).in.say("to nobody");
  }
  poll(io);
  BOOST_TEST(numbers.encoded == 0);
}

BOOST_AUTO_TEST_CASE(a_member_that_fails_keeps_nothing_from_the_others) {
  user a(io, lobby, numbers);
  user b(io, lobby, numbers);
  user c(io, lobby, numbers);
  b.peer.room = 0;
  b.peer.out_of_memory = true;
  a.in.say("x");
  poll(io);
  BOOST_TEST(b.peer.failures == 1);
  for (auto const* u : {&a, &c}) BOOST_TEST(u->peer.written.substr(3) == "1x ");
}

BOOST_AUTO_TEST_CASE(a_room_whose_broadcaster_fails_keeps_nobody_waiting) {
  net::io_context other;
  room broken(other.get_executor());
  failing_dialect speechless;
  user a(other, broken, speechless);
  a.in.say("x");
  bool waits = true;
  auto const wait = [&]() -> awaitable<void> {
    co_await broken.caught_up();
    waits = false;
  };
  start(other, wait());
  BOOST_CHECK_THROW(start(other, broken.run()), std::bad_alloc);
  poll(other);
  BOOST_TEST(!waits);
}

BOOST_AUTO_TEST_CASE(fanning_out_to_many_lets_others_run) {
  std::deque<user> many;
  for (std::size_t i = 0; i != 3 * slice; ++i) many.emplace_back(io, lobby, numbers);
  many.front().in.say("x");
  // How many had it at each of its turns.
  std::set<std::size_t> seen;
  auto const count = [&]() -> awaitable<void> {
    for (int turn = 0; turn != 100; ++turn) {
      seen.insert(
          static_cast<std::size_t>(ranges::count_if(many, [](user& u) { return u.peer.written.ends_with("1x "); })));
      co_await net::post(io, use_awaitable);
    }
  };
  start(io, count());
  BOOST_TEST(seen == (std::set<std::size_t>{0, slice, 2 * slice, 3 * slice}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_joins_while_a_batch_is_fanned_out_hears_the_next_one_first) {
  counting_dialect others;
  std::deque<user> many;
  for (std::size_t i = 0; i != 2 * slice; ++i) many.emplace_back(io, lobby, numbers);
  many.front().in.say("x");
  std::deque<user> late;
  auto const join = [&]() -> awaitable<void> {
    while (!many.front().peer.written.ends_with("1x ")) co_await net::post(io, use_awaitable);
    late.emplace_back(io, lobby, numbers);
    late.emplace_back(io, lobby, others);
  };
  start(io, join());
  BOOST_TEST(many.back().peer.written.ends_with("1x "));
  many.front().in.say("y");
  poll(io);
  for (auto const& user : late) BOOST_TEST(user.peer.written.substr(user.peer.written.find('>')) == ">2y ");
}

BOOST_AUTO_TEST_CASE(fanning_out_much_lets_others_run_more_often) {
  std::deque<user> few;
  for (int i = 0; i != 4; ++i) few.emplace_back(io, lobby, numbers);
  few.front().in.say(std::string(8 * 1024 * slice, 'x'));
  std::set<std::ptrdiff_t> seen;
  auto const count = [&]() -> awaitable<void> {
    for (int turn = 0; turn != 100; ++turn) {
      seen.insert(ranges::count_if(few, [](user& u) { return u.peer.written.size() > slice; }));
      co_await net::post(io, use_awaitable);
    }
  };
  start(io, count());
  BOOST_TEST(seen == (std::set<std::ptrdiff_t>{1, 2, 3, 4}), boost::test_tools::per_element());
}

/// Seeded schedules: members come, speak and leave at any time, also while a batch is on its way to very many. Each one
/// hears an unbroken run of the one order, from where it joined to where it left.
BOOST_AUTO_TEST_CASE(whoever_comes_and_goes_nobody_misses_or_repeats_anything) {
  for (unsigned seed = 0; seed != 20; ++seed) {
    std::mt19937 random(seed);
    net::io_context own;
    room busy(own.get_executor());
    counting_dialect one;
    counting_dialect other;
    start(own, busy.run());
    std::vector<std::unique_ptr<user>> present;
    std::vector<std::string> heard;
    int said = 0;
    auto const leave = [&](std::size_t i) {
      heard.push_back(present[i]->peer.written);
      present.erase(present.begin() + static_cast<std::ptrdiff_t>(i));
    };
    for (int step = 0; step != 3000; ++step) {
      auto const choice = random() % 8;
      if (choice < 4 && present.size() < 3 * slice) {
        present.push_back(std::make_unique<user>(own, busy, random() % 2 == 0 ? one : other));
      } else if (choice == 4 && !present.empty()) {
        leave(random() % present.size());
      } else if (choice == 5 && !present.empty()) {
        present[random() % present.size()]->in.say("");
        ++said;
      } else {
        own.restart();
        own.poll_one();
      }
    }
    poll(own);
    BOOST_TEST(busy.users() == present.size());
    while (!present.empty()) {
      BOOST_REQUIRE(ends_with_seq(present.back()->peer.written, said));
      leave(present.size() - 1);
    }
    for (auto const& text : heard) BOOST_REQUIRE_MESSAGE(is_unbroken(text), "seed " << seed << ": " << text);
  }
}

BOOST_AUTO_TEST_CASE(closed_room_is_silent) {
  user a(io, lobby, numbers);
  a.in.say("x");
  lobby.close();
  a.in.say("y");
  poll(io);
  BOOST_TEST(a.peer.written == "<1>1x ");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
