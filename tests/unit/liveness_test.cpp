#include "server/liveness.hpp"

#include <boost/test/unit_test.hpp>
#include <ostream>

#include "server/heartbeat.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;
using verdict = liveness::verdict;

constexpr liveness::outbound idle{.waiting = false, .sealed = false, .progress = 0};
constexpr liveness::outbound behind{.waiting = true, .sealed = false, .progress = 0};
constexpr liveness::outbound closing{.waiting = false, .sealed = true, .progress = 0};

struct session_from_zero {
  settings options;
  clock::time_point zero;
  liveness alive{options, zero};

  verdict at(clock::duration time, liveness::outbound const& out = idle) { return alive.check(zero + time, out); }
};

}  // namespace

std::ostream& operator<<(std::ostream& out, verdict v) { return out << static_cast<int>(v); }

BOOST_FIXTURE_TEST_SUITE(liveness_of_a_session, session_from_zero)

BOOST_AUTO_TEST_CASE(is_pinged_every_interval) {
  BOOST_TEST(at(14s) == verdict::fine);
  BOOST_TEST(at(15s) == verdict::ping);
  BOOST_TEST(at(16s) == verdict::fine);
  alive.heard();
  BOOST_TEST(at(30s) == verdict::ping);
}

BOOST_AUTO_TEST_CASE(is_dead_when_a_ping_is_not_answered_in_time) {
  BOOST_TEST(at(15s) == verdict::ping);
  BOOST_TEST(at(29s) == verdict::fine);
  BOOST_TEST(at(30s) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(any_sign_of_life_counts_as_an_answer) {
  BOOST_TEST(at(15s) == verdict::ping);
  alive.heard();
  BOOST_TEST(at(29s) == verdict::fine);
  BOOST_TEST(at(30s) == verdict::ping);
}

BOOST_AUTO_TEST_CASE(timeout_counts_from_the_first_unanswered_ping) {
  options.ping_timeout = 40s;
  BOOST_TEST(at(15s) == verdict::ping);
  BOOST_TEST(at(30s) == verdict::ping);
  BOOST_TEST(at(45s) == verdict::ping);
  BOOST_TEST(at(55s) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_pinged_at_interval_zero) {
  options.ping_interval = 0s;
  BOOST_TEST(at(1h) == verdict::fine);
}

BOOST_AUTO_TEST_CASE(is_stalled_when_it_takes_nothing) {
  BOOST_TEST(at(1s) == verdict::fine);
  BOOST_TEST(at(2s, behind) == verdict::fine);
  BOOST_TEST(at(10s, behind) == verdict::fine);
  BOOST_TEST(at(11s, behind) == verdict::write_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_stalled_while_it_takes_something) {
  for (std::uint64_t i = 1; i != 100; ++i) BOOST_TEST(at(i * 9s, {true, false, i}) == verdict::fine);
}

BOOST_AUTO_TEST_CASE(is_not_pinged_behind_a_backlog) {
  BOOST_TEST(at(15s) == verdict::ping);
  for (std::uint64_t i = 16; i != 100; ++i) BOOST_TEST(at(i * 1s, {true, false, i}) == verdict::fine);
  // The backlog is gone: now the ping can be answered again.
  BOOST_TEST(at(113s) == verdict::fine);
  BOOST_TEST(at(114s) == verdict::ping_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_stalled_at_write_timeout_zero) {
  options.write_timeout = 0s;
  BOOST_TEST(at(1h, behind) == verdict::fine);
}

BOOST_AUTO_TEST_CASE(must_answer_a_close_frame_in_time) {
  BOOST_TEST(at(100s, closing) == verdict::fine);
  BOOST_TEST(at(114s, closing) == verdict::fine);
  BOOST_TEST(at(115s, closing) == verdict::close_timeout);
}

BOOST_AUTO_TEST_CASE(time_to_answer_begins_when_the_close_frame_is_gone) {
  for (std::uint64_t i = 1; i != 100; ++i) BOOST_TEST(at(i * 1s, {true, true, i}) == verdict::fine);
  BOOST_TEST(at(100s, {false, true, 100}) == verdict::fine);
  BOOST_TEST(at(114s, {false, true, 100}) == verdict::fine);
  BOOST_TEST(at(115s, {false, true, 100}) == verdict::close_timeout);
}

BOOST_AUTO_TEST_CASE(is_not_pinged_while_it_closes) { BOOST_TEST(at(15s, closing) == verdict::fine); }

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
