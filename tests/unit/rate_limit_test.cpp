#include "server/rate_limit.hpp"

#include <boost/test/unit_test.hpp>

namespace chorus {

namespace {

using namespace std::chrono_literals;

/// Four tokens a second, three at once. It begins at a time that is not zero, as clocks do.
struct four_a_second {
  settings options;
  rate_limit limit;

  four_a_second() {
    options.rate_limit = 4;
    options.rate_burst = 3;
  }

  /// How long to wait after spending tokens at `time`.
  clock::duration spend(clock::duration time, std::uint64_t tokens = 1) {
    return limit.spend(options, clock::time_point(1000h + time), tokens);
  }
  bool free(clock::duration time, std::uint64_t tokens = 1) { return spend(time, tokens) == 0s; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rate_limits, four_a_second)

/// Who waits as it is told spends one in each interval.
BOOST_AUTO_TEST_CASE(after_a_burst_there_is_one_per_interval) {
  BOOST_TEST(free(0s));
  BOOST_TEST(free(0s));
  for (auto time = 0ms; time != 5000ms; time += 250ms) BOOST_TEST((spend(time) == 250ms));
}

BOOST_AUTO_TEST_CASE(who_keeps_to_the_rate_never_waits) {
  for (auto time = 0ms; time != 5000ms; time += 250ms) BOOST_TEST(free(time));
}

BOOST_AUTO_TEST_CASE(who_does_not_wait_long_enough_waits_longer) {
  BOOST_TEST((spend(0s, 3) == 250ms));
  BOOST_TEST((spend(100ms) == 400ms));
  BOOST_TEST((spend(100ms) == 650ms));
}

BOOST_AUTO_TEST_CASE(idle_time_gives_back_what_was_spent) {
  BOOST_TEST((spend(0s, 3) == 250ms));
  BOOST_TEST(free(500ms));
  BOOST_TEST((spend(500ms) == 250ms));
}

BOOST_AUTO_TEST_CASE(idle_time_saves_up_no_more_than_a_burst) {
  BOOST_TEST((spend(0s, 3) == 250ms));
  BOOST_TEST(free(1h));
  BOOST_TEST(free(1h));
  BOOST_TEST((spend(1h) == 250ms));
}

BOOST_AUTO_TEST_CASE(more_tokens_than_there_are_are_paid_off) {
  BOOST_TEST((spend(0s, 11) == 2250ms));
  BOOST_TEST((spend(2250ms) == 250ms));
  BOOST_TEST(free(2250ms + 750ms));
}

BOOST_AUTO_TEST_CASE(what_costs_nothing_is_free) {
  BOOST_TEST((spend(0s, 3) == 250ms));
  BOOST_TEST((spend(0s, 0) == 250ms));
  BOOST_TEST(free(250ms, 0));
}

BOOST_AUTO_TEST_CASE(burst_of_one_is_strict) {
  options.rate_burst = 1;
  BOOST_TEST((spend(0s) == 250ms));
  BOOST_TEST((spend(250ms) == 250ms));
  BOOST_TEST((spend(1h) == 250ms));
}

BOOST_AUTO_TEST_CASE(without_a_limit_all_is_free) {
  options.rate_limit = 0;
  for (int i = 0; i != 1000; ++i) BOOST_TEST(free(0s, 1000));
}

/// What the options and a replay can come to.
BOOST_AUTO_TEST_CASE(largest_numbers_fit) {
  options.rate_limit = 1;
  options.rate_burst = 1'000'000;
  BOOST_TEST((spend(0s, 10'000'000) == 9'000'001s));
  options.rate_limit = 1'000'000;
  options.rate_burst = 1;
  rate_limit fresh;
  BOOST_TEST((fresh.spend(options, clock::time_point(1h), 1) == 1us));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
