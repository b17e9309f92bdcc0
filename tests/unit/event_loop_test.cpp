// Threads: how many, and how they run.

#include "server/event_loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <spdlog/sinks/null_sink.h>
#include <stdexcept>
#include <string>
#include <thread>

#include "server/usable_cpus.hpp"
#include "support/task_group.hpp"

namespace chorus::test {

namespace {

/// A tree of control groups.
struct control_groups {
  std::filesystem::path const root =
      std::filesystem::temp_directory_path() / ("chorus-groups-" + std::to_string(::getpid()));
  std::filesystem::path const own = root / "own";

  control_groups() { std::filesystem::create_directories(root / "a" / "b"); }
  ~control_groups() { std::filesystem::remove_all(root); }

  void limit(std::string const& group, std::string const& to) const { write(root / group / "cpu.max", to); }
  std::size_t usable_in(std::string const& lines) const {
    write(own, lines);
    return usable_cpus(own, root);
  }

  static void write(std::filesystem::path const& file, std::string const& text) { std::ofstream(file) << text; }
};

std::size_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof(set), &set);
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cpus, control_groups)

BOOST_AUTO_TEST_CASE(are_those_that_the_process_may_run_on) {
  BOOST_TEST(usable_cpus("/nowhere", "/nowhere") == affinity());
  limit("a", "max 100000\n");
  BOOST_TEST(usable_in("0::/a/b\n") == affinity());
}

BOOST_AUTO_TEST_CASE(are_no_more_than_a_quota_of_the_group_or_one_above_it) {
  limit("a", "20000 100000\n");
  BOOST_TEST(usable_in("0::/a\n") == 1U);
  BOOST_TEST(usable_in("1:cpu:/x\n0::/a/b\n") == 1U);
  BOOST_TEST(usable_in("0::/\n") == affinity());
  limit("", "100000 100000\n");
  BOOST_TEST(usable_in("0::/\n") == 1U);
}

BOOST_AUTO_TEST_CASE(of_a_part_are_one_more) {
  limit("a", "120000 100000\n");
  BOOST_TEST(usable_in("0::/a\n") == std::min<std::size_t>(2, affinity()));
  limit("a", "100000000 100000\n");
  BOOST_TEST(usable_in("0::/a\n") == affinity());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(event_loops)

BOOST_AUTO_TEST_CASE(go_on_after_a_turn_that_throws_and_say_so) {
  logger log(std::make_shared<spdlog::sinks::null_sink_mt>(), log_format::text, spdlog::level::off, 0);
  std::string failures;
  int turns = 0;
  event_loop loop;
  loop.start("test", duration::zero(), log, [&](auto why) { failures += describe(why) + " "; });
  for (auto const* const what : {"a", "b"})
    net::post(loop.get_executor(), [&turns, what] {
      ++turns;
      throw std::runtime_error(what);
    });
  net::post(loop.get_executor(), [&turns] { ++turns; });
  loop.finish();
  BOOST_TEST(failures == "a b ");
  BOOST_TEST(turns == 3);
}

BOOST_AUTO_TEST_CASE(end_in_the_middle_if_they_have_to) {
  logger log(std::make_shared<spdlog::sinks::null_sink_mt>(), log_format::text, spdlog::level::off, 0);
  event_loop loop;
  timer never(loop.get_executor(), clock::time_point::max());
  never.async_wait([](error_code) {});
  loop.start("test", duration::zero(), log, std::rethrow_exception);
  loop.halt();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
