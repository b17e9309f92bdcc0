#include "support/task_group.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "failing_allocation.hpp"
#include "run.hpp"

namespace chorus::test {

namespace {

using namespace std::chrono_literals;

struct group_of_tasks {
  net::io_context io;
  std::vector<std::string> errors;
  task_group group{io.get_executor(), [this](std::exception_ptr error) {
                     try {
                       std::rethrow_exception(error);
                     } catch (std::exception const& e) {
                       errors.emplace_back(e.what());
                     }
                   }};
  int ended = 0;
  bool joined = false;

  awaitable<void> yield(int turns) {
    for (int i = 0; i != turns; ++i) co_await net::post(io, use_awaitable);
    ++ended;
  }
  awaitable<void> sleep() {
    timer pause(io.get_executor(), 1h);
    co_await pause.async_wait(use_awaitable);
  }
  awaitable<void> wait_for_ever() {
    auto_reset_event never(io.get_executor());
    co_await never.wait();
  }
  awaitable<void> fail() {
    co_await net::post(io, use_awaitable);
    throw std::runtime_error("broken");
  }
  awaitable<void> spawn_another() {
    co_await net::post(io, use_awaitable);
    group.spawn(yield(5));
  }
  awaitable<void> join() {
    co_await group.join();
    joined = true;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tasks, group_of_tasks)

BOOST_AUTO_TEST_CASE(join_of_nobody_returns) {
  start(io, join());
  BOOST_TEST(joined);
}

BOOST_AUTO_TEST_CASE(join_waits_for_all) {
  group.spawn(yield(1));
  group.spawn(yield(9));
  BOOST_TEST(group.size() == 2U);
  start(io, join());
  BOOST_TEST(joined);
  BOOST_TEST(ended == 2);
  BOOST_TEST(group.size() == 0U);
}

BOOST_AUTO_TEST_CASE(join_waits_for_who_is_spawned_meanwhile) {
  group.spawn(spawn_another());
  start(io, join());
  BOOST_TEST(joined);
  BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(cancel_ends_all_and_is_no_error) {
  group.spawn(sleep());
  group.spawn(wait_for_ever());
  start(io, join());
  BOOST_TEST(!joined);
  group.cancel();
  poll(io);
  BOOST_TEST(joined);
  BOOST_TEST(errors.empty());
}

BOOST_AUTO_TEST_CASE(an_error_ends_its_task_alone_and_is_reported) {
  group.spawn(fail());
  group.spawn(yield(5));
  start(io, join());
  BOOST_TEST(joined);
  BOOST_TEST(ended == 1);
  BOOST_TEST(errors == std::vector<std::string>{"broken"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_started_is_not_waited_for, *boost::unit_test::precondition(memory_can_fail)) {
  int failures = 0;
  for (std::size_t size = 1; size != 2048; ++size) {
    auto task = yield(0);
    try {
      failing_allocation const none(size);
      group.spawn(std::move(task));
    } catch (std::bad_alloc const&) {
      ++failures;
    }
  }
  start(io, join());
  BOOST_TEST(joined);
  BOOST_TEST(failures > 0);
}

BOOST_AUTO_TEST_CASE(group_can_be_used_again_after_cancel) {
  group.spawn(sleep());
  poll(io);
  group.cancel();
  poll(io);
  group.spawn(yield(1));
  start(io, join());
  BOOST_TEST(ended == 1);
  BOOST_TEST(joined);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
