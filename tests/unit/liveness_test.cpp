#include "server/liveness.hpp"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <vector>

#include "server/heartbeat.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;
using verdict = liveness::verdict;

constexpr std::uint64_t sent = 1000;
constexpr liveness::outbound idle{false, false, sent, 0};

/// Bytes wait, and so many of those that were sent are not acknowledged.
constexpr liveness::outbound behind(std::uint64_t unacknowledged) { return {true, false, sent, unacknowledged}; }
/// Nothing waits, but the kernel still has so much.
constexpr liveness::outbound in_kernel(std::uint64_t unacknowledged) { return {false, false, sent, unacknowledged}; }
constexpr liveness::outbound closing(bool waiting, std::uint64_t unacknowledged) {
  return {waiting, true, sent, unacknowledged};
}

struct session_from_zero {
  settings options;
  clock::time_point zero;
  liveness alive{options, zero, 0};

  verdict at(clock::duration time, liveness::outbound const& out = idle) { return alive.check(zero + time, out); }

  /// One check each half second in [from, to); all must be fine.
  void fine(clock::duration from, clock::duration to, liveness::outbound const& out = idle) {
    for (auto time = from; time < to; time += 500ms) BOOST_TEST(at(time, out) == verdict::fine);
  }

  /// An idle peer is pinged at 7.5 s for the first time.
  void ping() {
    fine(0s, 7500ms);
    BOOST_TEST(at(7500ms) == verdict::ping);
  }
};

/// When a peer that answers each ping at once, and is silent otherwise, is pinged within the first minute.
std::vector<clock::duration> pings_of(settings const& options, std::uint32_t place) {
  liveness alive(options, {}, place);
  std::vector<clock::duration> pings;
  for (clock::duration time{}; time < 60s; time += 100ms) {
    if (alive.check(clock::time_point(time), idle) != verdict::ping) continue;
    pings.push_back(time);
    alive.heard();
  }
  return pings;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, verdict v) { return out << static_cast<int>(v); }

BOOST_FIXTURE_TEST_SUITE(liveness_of_a_session, session_from_zero)

BOOST_AUTO_TEST_CASE(is_pinged_every_interval_while_it_is_silent) {
  auto const expected = std::vector<clock::duration>{7500ms, 22500ms, 37500ms, 52500ms};
  BOOST_TEST((pings_of(options, 0) == expected));
}

BOOST_AUTO_TEST_CASE(each_has_its_own_place_in_the_interval) {
  std::array<int, 4> quarters{};
  for (std::uint32_t i = 0; i != 1000; ++i) {
    auto const pings = pings_of(options, i * 2654435769U);
    BOOST_REQUIRE(pings.front() >= 7500ms);
    BOOST_REQUIRE(pings.front() <= 15s);
    BOOST_TEST((pings[1] - pings[0] == 15s));
    ++quarters[std::min<std::size_t>(static_cast<std::size_t>((pings.front() - 7500ms) / 1875ms), 3)];
  }
  for (auto const count : quarters) BOOST_TEST(std::abs(count - 250) < 20);
}

BOOST_AUTO_TEST_CASE(who_talks_is_not_pinged) {
  for (auto time = 0s; time < 100s; time += 5s) {
    fine(time, time + 5s);
    alive.heard();
  }
}

BOOST_AUTO_TEST_CASE(is_never_silent_for_longer_than_an_interval_without_a_ping) {
  for (auto last_word = 10s; last_word != 30s; ++last_word) {
    liveness one(options, zero, 0);
    auto pinged = clock::duration::zero();
    for (auto time = 0ms; time < 60s && pinged <= last_word; time += 500ms) {
      if (one.check(zero + time, idle) == verdict::ping) pinged = time;
      if (time <= last_word) one.heard();
    }
    BOOST_TEST((pinged - last_word <= 15s));
    BOOST_TEST((pinged - last_word >= 7500ms));
  }
}

BOOST_AUTO_TEST_CASE(is_dead_when_a_ping_is_not_answered_in_time) {
  ping();
  fine(8s, 22500ms);
  BOOST_TEST(at(22500ms) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(any_sign_of_life_counts_as_an_answer) {
  ping();
  alive.heard();
  fine(8s, 22500ms);
  BOOST_TEST(at(22500ms) == verdict::ping);
}

BOOST_AUTO_TEST_CASE(has_one_ping_at_a_time_to_answer) {
  options.ping_timeout = 40s;
  ping();
  fine(8s, 47500ms);
  BOOST_TEST(at(47500ms) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_pinged_at_interval_zero) {
  options.ping_interval = 0s;
  fine(0s, 1h);
}

BOOST_AUTO_TEST_CASE(is_stalled_when_it_acknowledges_nothing) {
  fine(0s, 2s);
  fine(2s, 12s, behind(1000));
  BOOST_TEST(at(12s, behind(1000)) == verdict::write_timeout);
}

BOOST_AUTO_TEST_CASE(is_stalled_also_when_the_kernel_takes_more) {
  fine(0s, 2s);
  for (std::uint64_t i = 0; i != 20; ++i) {
    liveness::outbound const taken{true, false, sent + i, sent + i};
    BOOST_TEST(at(2s + i * 500ms, taken) == verdict::fine);
  }
  BOOST_TEST(at(12s, {true, false, sent + 20, sent + 20}) == verdict::write_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_stalled_while_it_acknowledges_something) {
  for (std::uint64_t i = 0; i != 100; ++i) BOOST_TEST(at(i * 9s, behind(1000 - i)) == verdict::fine);
}

BOOST_AUTO_TEST_CASE(time_to_stall_begins_with_the_backlog) {
  fine(0s, 5s, behind(1000));
  fine(5s, 7s, in_kernel(0));
  fine(7s, 16500ms, behind(1000));
  BOOST_TEST(at(17s, behind(1000)) == verdict::write_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_stalled_at_write_timeout_zero) {
  options.write_timeout = 0s;
  fine(0s, 1h, behind(1000));
}

BOOST_AUTO_TEST_CASE(is_not_pinged_behind_a_backlog) {
  for (std::uint64_t i = 0; i != 200; ++i) BOOST_TEST(at(i * 500ms, behind(1000 - i)) == verdict::fine);
}

BOOST_AUTO_TEST_CASE(ping_waits_for_the_backlog_behind_it) {
  ping();
  for (std::uint64_t i = 16; i != 200; ++i) BOOST_TEST(at(i * 500ms, behind(1000 - i)) == verdict::fine);
  fine(100s, 115s);
  BOOST_TEST(at(115s) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(ping_behind_data_is_judged_by_the_progress_of_that_data) {
  ping();
  // It takes 100 seconds to take the kilobyte before the ping.
  for (std::uint64_t i = 0; i <= 200; ++i) BOOST_TEST(at(8s + i * 500ms, in_kernel(1000 - 5 * i)) == verdict::fine);
  fine(108500ms, 123s);
  BOOST_TEST(at(123s) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(ping_behind_data_that_stands_still_is_not_answered_in_time) {
  ping();
  fine(8s, 23s, in_kernel(1000));
  BOOST_TEST(at(23s, in_kernel(1000)) == verdict::ping_timeout);
}

/// Its kernel takes what comes after the ping, but nobody answers.
BOOST_AUTO_TEST_CASE(data_behind_a_ping_is_no_excuse) {
  ping();
  for (std::uint64_t i = 1; i != 30; ++i) {
    liveness::outbound const later{false, false, sent + 100 * i, 50};
    BOOST_TEST(at(7500ms + i * 500ms, later) == verdict::fine);
  }
  BOOST_TEST(at(22500ms, {false, false, sent + 4000, 50}) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(silence_is_not_held_against_who_is_not_read_from) {
  alive.reading(false);
  fine(0s, 100s);
  alive.reading(true);
  fine(100s, 105s);
  BOOST_TEST(at(105s) == verdict::ping);
  alive.reading(false);
  fine(105500ms, 200s);
  alive.reading(true);
  fine(200s, 214500ms);
  BOOST_TEST(at(214500ms) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(must_answer_a_close_frame_in_time) {
  fine(100s, 115s, closing(false, 0));
  BOOST_TEST(at(115s, closing(false, 0)) == verdict::close_timeout);
}

BOOST_AUTO_TEST_CASE(words_do_not_answer_a_close_frame) {
  fine(100s, 115s, closing(false, 0));
  alive.heard();
  BOOST_TEST(at(115s, closing(false, 0)) == verdict::close_timeout);
}

BOOST_AUTO_TEST_CASE(time_to_answer_begins_when_the_close_frame_is_gone) {
  for (std::uint64_t i = 1; i != 100; ++i) BOOST_TEST(at(i * 1s, closing(true, 1000 - i)) == verdict::fine);
  fine(100s, 115s, closing(false, 0));
  BOOST_TEST(at(115s, closing(false, 0)) == verdict::close_timeout);
}

BOOST_AUTO_TEST_CASE(time_to_answer_begins_when_the_close_frame_is_acknowledged) {
  for (std::uint64_t i = 1; i != 100; ++i) BOOST_TEST(at(i * 1s, closing(false, 1000 - i)) == verdict::fine);
  fine(100s, 115s, closing(false, 0));
  BOOST_TEST(at(115s, closing(false, 0)) == verdict::close_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_pinged_while_it_closes) { fine(0s, 14s, closing(false, 0)); }

BOOST_AUTO_TEST_CASE(asks_the_kernel_only_about_who_is_behind_or_owes_an_answer) {
  BOOST_TEST(!alive.asks(idle));
  BOOST_TEST(alive.asks(behind(0)));
  BOOST_TEST(alive.asks(closing(false, 0)));
  ping();
  BOOST_TEST(alive.asks(idle));
  alive.heard();
  BOOST_TEST(!alive.asks(idle));
}

BOOST_AUTO_TEST_CASE(heartbeat_is_as_fine_as_the_shortest_timeout_asks) {
  BOOST_TEST((heartbeat_period(options) == 1s));
  options.ping_timeout = 400ms;
  BOOST_TEST((heartbeat_period(options) == 50ms));
  options.write_timeout = 1ms;
  BOOST_TEST((heartbeat_period(options) == 5ms));
  options = {};
  options.handshake_timeout = options.ping_interval = options.ping_timeout = options.write_timeout = 0s;
  BOOST_TEST((heartbeat_period(options) == 1s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
