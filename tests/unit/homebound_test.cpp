#include "support/homebound.hpp"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "run.hpp"

namespace chorus::test {

namespace {

struct two_threads {
  net::io_context home;
  net::io_context abroad;
  int ended_at_home = 0;
  int ended_abroad = 0;

  struct luggage {
    two_threads& of;

    explicit luggage(two_threads& at) : of(at) {}
    luggage(luggage const&) = delete;
    luggage& operator=(luggage const&) = delete;
    ~luggage() { ++(of.home.get_executor().running_in_this_thread() ? of.ended_at_home : of.ended_abroad); }
  };
  using traveller = homebound<std::unique_ptr<luggage>>;

  traveller depart() { return {home.get_executor(), std::make_unique<luggage>(*this)}; }

  static awaitable<void> end(traveller) { co_return; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(homebound_values, two_threads)

BOOST_AUTO_TEST_CASE(that_end_elsewhere_are_destroyed_at_home_later) {
  start(abroad, end(depart()));
  BOOST_TEST(ended_at_home + ended_abroad == 0);
  poll(home);
  BOOST_TEST(ended_at_home == 1);
  BOOST_TEST(ended_abroad == 0);
}

BOOST_AUTO_TEST_CASE(that_end_at_home_are_destroyed_at_once) {
  auto const at_home = [this]() -> awaitable<void> {
    {
      auto const gone = depart();
    }
    BOOST_TEST(ended_at_home == 1);
    co_return;
  };
  start(home, at_home());
  BOOST_TEST(ended_at_home == 1);
}

BOOST_AUTO_TEST_CASE(are_destroyed_once_however_often_they_move) {
  {
    auto first = depart();
    auto second = std::move(first);
    std::optional<traveller> third(std::move(second));
    poll(home);
    BOOST_TEST(ended_at_home == 0);
  }
  poll(home);
  BOOST_TEST(ended_at_home == 1);
  BOOST_TEST(ended_abroad == 0);
}

/// Who travels keeps the home alive until then.
BOOST_AUTO_TEST_CASE(that_have_ended_are_work_for_their_home) {
  {
    auto const gone = depart();
  }
  home.restart();
  BOOST_TEST(home.run() == 1U);
  BOOST_TEST(ended_at_home == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
