// The log, the broadcaster and the room.

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "chat/event_log.hpp"
#include "chat/names.hpp"
#include "chat/room.hpp"
#include "fake_sink.hpp"
#include "protocol/text_dialect.hpp"
#include "run.hpp"

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

  user(net::io_context& io, room& lobby, std::string name, dialect const& speaks)
      : out((peer.room = std::numeric_limits<std::size_t>::max(), io.get_executor()), 1024, peer),
        in(lobby, std::move(name), speaks, out) {}
};

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
  user first(io, lobby, "a", numbers);
  first.in.say("x");
  user second(io, lobby, "b", numbers);
  poll(io);
  BOOST_TEST(first.peer.written == "<1>1x ");
  BOOST_TEST(second.peer.written.substr(0, 3) == "<2>");
  BOOST_TEST(lobby.users() == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_one_packet_encoded_once_per_dialect) {
  counting_dialect others;
  user a(io, lobby, "a", numbers);
  user b(io, lobby, "b", numbers);
  user c(io, lobby, "c", others);
  a.in.say("x");
  b.in.say("y");
  poll(io);
  BOOST_TEST(numbers.encoded == 1);
  BOOST_TEST(others.encoded == 1);
  for (auto const* u : {&a, &b, &c}) BOOST_TEST(u->peer.written.substr(3) == "1x 2y ");
}

BOOST_AUTO_TEST_CASE(a_slow_member_misses_exactly_the_announced_events) {
  user slow(io, lobby, "a", numbers);
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

BOOST_AUTO_TEST_CASE(who_left_gets_nothing_more) {
  user a(io, lobby, "a", numbers);
  {
    user b(io, lobby, "b", numbers);
    b.in.say("bye");
  }
  BOOST_TEST(lobby.users() == 1U);
  poll(io);
  BOOST_TEST(a.peer.written == "<1>1bye ");
}

BOOST_AUTO_TEST_CASE(nobody_is_encoded_for) {
  {
    user(io, lobby, "a", numbers).in.say("to nobody");
  }
  poll(io);
  BOOST_TEST(numbers.encoded == 0);
}

BOOST_AUTO_TEST_CASE(closed_room_is_silent) {
  user a(io, lobby, "a", numbers);
  a.in.say("x");
  lobby.close();
  a.in.say("y");
  poll(io);
  BOOST_TEST(a.peer.written == "<1>1x ");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(names_are_numbered_from_zero) {
  name_sequence names;
  BOOST_TEST(names.next() == "user0");
  BOOST_TEST(names.next() == "user1");
}

}  // namespace chorus::test
