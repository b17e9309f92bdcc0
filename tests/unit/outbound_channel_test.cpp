#include "support/outbound_channel.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "failing_allocation.hpp"
#include "fake_sink.hpp"
#include "run.hpp"

namespace chorus::test {

namespace {

constexpr std::size_t limit = 10;
constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

packet_ptr control(std::string bytes) { return make_packet(std::move(bytes)); }
packet_ptr events(std::string bytes, std::uint64_t first, std::uint64_t last, std::uint64_t messages) {
  return make_packet(std::move(bytes), {first, last, messages});
}
/// All of them are messages.
packet_ptr events(std::string bytes, std::uint64_t first, std::uint64_t last) {
  return events(std::move(bytes), first, last, last - first + 1);
}

struct channel_of_ten_bytes {
  net::io_context io;
  fake_sink peer;
  outbound_channel out{io.get_executor(), limit, peer};

  std::optional<error_code> flushed;

  awaitable<void> await_flush() {
    auto const [ec] = co_await out.async_flush(nothrow);
    flushed = ec;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(channel, channel_of_ten_bytes)

BOOST_AUTO_TEST_CASE(push_writes_at_once_while_nothing_waits) {
  peer.room = no_limit;
  out.push(events("abc", 1, 1));
  out.push(control("def"));
  BOOST_TEST(peer.written == "abcdef");
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(what_the_socket_does_not_take_waits_in_order) {
  peer.room = 2;
  out.push(events("abc", 1, 1));
  peer.room = no_limit;
  out.push(events("def", 2, 2));
  BOOST_TEST(peer.written == "ab");
  peer.drain(out);
  BOOST_TEST(peer.written == "abcdef");
}

BOOST_AUTO_TEST_CASE(writes_of_any_size_lose_nothing) {
  out.push(events("abc", 1, 1));
  out.push(control("defg"));
  out.push(events("hi", 2, 2));
  for (int i = 0; i != 9; ++i) {
    BOOST_TEST(!out.empty());
    peer.drain(out, 1);
  }
  BOOST_TEST(out.empty());
  BOOST_TEST(peer.written == "abcdefghi");
  BOOST_TEST(out.sent_bytes() == 9U);
}

BOOST_AUTO_TEST_CASE(what_is_written_at_once_is_sent_too) {
  peer.room = 5;
  out.push(control("abc"));
  BOOST_TEST(out.sent_bytes() == 3U);
  out.push(control("def"));
  BOOST_TEST(out.sent_bytes() == 5U);
  out.gather();
  out.consume(1);
  BOOST_TEST(out.sent_bytes() == 6U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_queued_is_that_peers_failure) {
  peer.out_of_memory = true;
  out.push(control("abc"));
  BOOST_TEST(peer.failures == 1);
  out.close();
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(a_last_packet_that_cannot_be_queued_is_that_peers_failure) {
  peer.out_of_memory = true;
  out.seal(control("<close>"));
  BOOST_TEST(peer.failures == 1);
}

/// Whatever it is that cannot be allocated: what was sent of the frame stays the last that the peer gets.
BOOST_AUTO_TEST_CASE(a_frame_that_cannot_be_queued_is_followed_by_nothing,
                     *boost::unit_test::precondition(memory_can_fail)) {
  auto const whole = control("abcd");
  auto const bye = control("<bye>");
  int failures = 0;
  for (std::size_t size = 1; size != 2048; ++size) {
    fake_sink limited;
    limited.room = 2;
    limited.written.reserve(64);
    outbound_channel cut(io.get_executor(), limit, limited);
    {
      failing_allocation const none(size);
      cut.push(whole);
    }
    failures += limited.failures;
    limited.room = no_limit;
    if (limited.failures != 0) cut.close(bye);
    BOOST_TEST(limited.written == "ab");
  }
  BOOST_TEST(failures > 0);
}

BOOST_AUTO_TEST_CASE(gathers_at_most_64) {
  for (int i = 0; i != 100; ++i) out.push(control("x"));
  BOOST_TEST(out.gather().size() == 64U);
  out.consume(64);
  BOOST_TEST(out.gather().size() == 36U);
}

BOOST_AUTO_TEST_CASE(limit_is_exact) {
  out.push(events("12345", 1, 1));
  out.push(events("67890", 2, 2));
  BOOST_TEST(out.waiting_bytes() == limit);
  peer.drain(out);
  BOOST_TEST(peer.written == "1234567890");
  BOOST_TEST(out.waiting_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(over_the_limit_the_backlog_is_dropped_and_announced) {
  out.push(events("12345", 1, 2));
  out.push(events("67890", 3, 4));
  out.push(events("x", 5, 5));
  BOOST_TEST(out.waiting_bytes() == 5U);
  out.push(events("y", 6, 7));
  peer.drain(out);
  BOOST_TEST(peer.written == "12345<gap 3-7>");
  peer.room = no_limit;
  out.push(events("live", 8, 8));
  BOOST_TEST(peer.written == "12345<gap 3-7>live");
}

BOOST_AUTO_TEST_CASE(gap_notice_comes_when_the_peer_reads_even_if_nobody_speaks) {
  out.push(events("12345", 1, 1));
  out.push(events("678901", 2, 2));
  peer.room = no_limit;
  peer.drain(out);
  BOOST_TEST(peer.written == "12345<gap 2-2>");
}

BOOST_AUTO_TEST_CASE(what_is_in_flight_is_not_dropped) {
  out.push(events("123", 1, 1));
  out.push(events("456", 2, 2));
  auto const in_flight = out.gather();
  BOOST_TEST(in_flight.size() == 2U);
  out.push(events("789", 3, 3));
  out.push(events("xyz", 4, 4));
  out.consume(1);
  peer.drain(out);
  BOOST_TEST(peer.written == "23456<gap 3-4>");
}

BOOST_AUTO_TEST_CASE(a_second_gap_is_announced_by_itself) {
  out.push(events("12345678", 1, 1));
  out.push(events("xxxxx", 2, 2));
  peer.drain(out);
  out.push(events("12345678", 3, 3));
  out.push(events("xxxxx", 4, 5));
  peer.drain(out);
  BOOST_TEST(peer.written == "12345678<gap 2-2>12345678<gap 4-5>");
}

BOOST_AUTO_TEST_CASE(a_packet_over_the_limit_fits_when_nothing_waits) {
  out.push(events("12345678901", 1, 1));
  peer.drain(out);
  BOOST_TEST(peer.written == "12345678901");
}

BOOST_AUTO_TEST_CASE(control_is_exempt_and_never_dropped) {
  out.push(events("12345", 1, 1));
  out.push(control("<ping is longer than the limit>"));
  out.push(events("67890", 2, 2));
  out.push(control("<pong>"));
  peer.drain(out);
  BOOST_TEST(peer.written == "12345<ping is longer than the limit><pong><gap 2-2>");
}

/// Those that waited when the gap began, those by which it began, and those that it swallowed later.
BOOST_AUTO_TEST_CASE(gap_counts_the_messages_that_are_lost_and_no_others) {
  out.push(events("sent", 1, 4, 2));
  out.push(events("wait", 5, 9, 3));
  out.push(control("<ping>"));
  out.push(events("no", 10, 12, 0));
  out.push(events("begins", 13, 15, 1));
  out.push(events("", 16, 19, 0));
  out.push(events("extends", 20, 29, 10));
  peer.drain(out);
  BOOST_TEST(peer.written == "sent<ping><gap 5-29>");
  BOOST_REQUIRE(peer.gaps.size() == 1U);
  BOOST_TEST(peer.gaps[0].messages == 14U);
}

BOOST_AUTO_TEST_CASE(gap_does_not_count_what_is_in_flight) {
  out.push(events("123", 1, 2, 2));
  out.push(events("456", 3, 5, 3));
  out.gather();
  out.push(events("7", 6, 9, 4));
  out.push(events("longer", 10, 14, 5));
  out.consume(6);
  peer.drain(out);
  BOOST_TEST((peer.gaps == std::vector<event_range>{{6, 14, 9}}));
}

BOOST_AUTO_TEST_CASE(gap_may_hold_no_message_at_all) {
  out.push(events("12345", 1, 1));
  out.push(events("joined", 2, 3, 0));
  out.push(events("left", 4, 4, 0));
  peer.drain(out);
  BOOST_TEST((peer.gaps == std::vector<event_range>{{2, 4, 0}}));
}

BOOST_AUTO_TEST_CASE(each_gap_counts_anew) {
  for (std::uint64_t seq = 1; seq != 31; seq += 10) {
    out.push(events("12345678", seq, seq, 1));
    out.push(events("lost", seq + 1, seq + 9, 7));
    peer.drain(out);
  }
  BOOST_TEST((peer.gaps == std::vector<event_range>{{2, 10, 7}, {12, 20, 7}, {22, 30, 7}}));
}

BOOST_AUTO_TEST_CASE(nothing_follows_the_last_packet) {
  out.push(events("1", 1, 1));
  out.seal(control("<close>"));
  out.push(events("2", 2, 2));
  out.push(control("<ping>"));
  out.seal(control("<close again>"));
  peer.drain(out);
  BOOST_TEST(peer.written == "1<close>");
  BOOST_TEST(out.sealed());
}

BOOST_AUTO_TEST_CASE(gap_is_announced_before_the_last_packet) {
  out.push(events("12345", 1, 1));
  out.push(events("67890!", 2, 3));
  out.seal(control("<close>"));
  peer.drain(out);
  BOOST_TEST(peer.written == "12345<gap 2-3><close>");
  BOOST_TEST((peer.gaps == std::vector<event_range>{{2, 3, 2}}));
}

BOOST_AUTO_TEST_CASE(write_loop_starts_when_something_waits) {
  peer.room = 1;
  out.push(control("a"));
  BOOST_TEST(peer.write_loops == 0);
  out.push(control("b"));
  BOOST_TEST(peer.write_loops == 1);
  out.push(control("c"));
  BOOST_TEST(peer.write_loops == 1);
}

BOOST_AUTO_TEST_CASE(write_loop_starts_again_after_it_has_ended) {
  out.push(control("a"));
  peer.drain(out);
  out.push(control("b"));
  BOOST_TEST(peer.write_loops == 2);
}

BOOST_AUTO_TEST_CASE(gap_notice_is_left_to_the_write_loop_that_is_there) {
  out.push(events("12345", 1, 1));
  out.push(events("678901", 2, 2));
  peer.room = no_limit;
  out.consume(5);
  BOOST_TEST(!out.empty());
  peer.drain(out);
  BOOST_TEST(peer.written == "<gap 2-2>");
  BOOST_TEST(peer.write_loops == 1);
}

BOOST_AUTO_TEST_CASE(flush_completes_at_once_if_nothing_waits) {
  peer.room = no_limit;
  out.push(control("a"));
  start(io, await_flush());
  BOOST_TEST(!flushed.value());
}

BOOST_AUTO_TEST_CASE(flush_completes_when_that_packet_is_gone) {
  out.push(events("1", 1, 1));
  out.push(control("<reply>"));
  start(io, await_flush());
  out.push(events("2", 2, 2));
  peer.drain(out, 7);
  poll(io);
  BOOST_TEST(!flushed.has_value());
  peer.drain(out, 1);
  poll(io);
  BOOST_TEST(!flushed.value());
  BOOST_TEST(peer.written == "1<reply>");
}

BOOST_AUTO_TEST_CASE(flush_waits_for_the_last_packet_when_its_own_is_ignored) {
  out.seal(control("<close>"));
  out.push(control("<ignored>"));
  start(io, await_flush());
  BOOST_TEST(!flushed.has_value());
  peer.drain(out);
  poll(io);
  BOOST_TEST(!flushed.value());
}

BOOST_AUTO_TEST_CASE(flush_fails_when_the_channel_is_closed) {
  out.push(control("a"));
  start(io, await_flush());
  out.close();
  poll(io);
  BOOST_TEST(flushed.value() == net::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(flush_fails_when_a_closed_channel_still_writes) {
  out.push(control("abc"));
  out.gather();
  out.close();
  start(io, await_flush());
  BOOST_TEST(!flushed.has_value());
  out.consume(0);
  poll(io);
  BOOST_TEST(flushed.value() == net::error::operation_aborted);
}

BOOST_AUTO_TEST_CASE(closed_channel_is_empty_when_the_pending_write_ends) {
  out.push(events("12345", 1, 1));
  out.gather();
  out.push(events("678901", 2, 2));
  out.close();
  BOOST_TEST(!out.empty());
  out.consume(2);
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(last_words_are_tried_at_a_frame_boundary) {
  out.push(events("waits", 1, 1));
  peer.room = no_limit;
  out.close(control("<bye>"));
  BOOST_TEST(peer.written == "<bye>");
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(last_words_do_not_cut_a_frame_in_half) {
  peer.room = 2;
  out.push(events("waits", 1, 1));
  peer.room = no_limit;
  out.close(control("<bye>"));
  BOOST_TEST(peer.written == "wa");
}

/// Its completion is still queued: a part of the frame may be gone.
BOOST_AUTO_TEST_CASE(last_words_do_not_cut_a_frame_that_is_being_written) {
  out.push(control("waits"));
  out.gather();
  peer.room = no_limit;
  out.close(control("<bye>"));
  BOOST_TEST(peer.written == "");
}

BOOST_AUTO_TEST_CASE(last_words_are_not_said_twice) {
  peer.room = no_limit;
  out.seal(control("<close>"));
  out.close(control("<bye>"));
  BOOST_TEST(peer.written == "<close>");
}

BOOST_AUTO_TEST_CASE(what_is_in_flight_outlives_the_close) {
  out.push(control("abc"));
  auto const in_flight = out.gather();
  out.push(control("def"));
  out.close();
  BOOST_TEST(std::string(static_cast<char const*>(in_flight.front().data()), in_flight.front().size()) == "abc");
  out.consume(0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
