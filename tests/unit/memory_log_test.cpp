#include "chat/memory_log.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "run.hpp"
#include "support/quiescence.hpp"

namespace chorus::test {

namespace {

struct log_reader {
  net::io_context io;
  memory_log log{io.get_executor()};
  std::vector<std::vector<log_entry>> batches;
  bool ended = false;

  void say(std::string text) { log.append({.from = {1, 2, 3}, .count = 1, .text = std::move(text)}); }

  awaitable<void> read() {
    for (;;) {
      auto taken = co_await log.next();
      if (taken.at_end()) break;
      BOOST_TEST(taken.failed.empty());
      batches.push_back(std::move(taken.entries));
    }
    ended = true;
  }

  /// Says something in each of the next turns of the executor, as read loops with buffered input do.
  awaitable<void> talk(int messages, int turns_between) {
    for (int i = 0; i != messages; ++i) {
      say(std::to_string(i));
      for (int turn = 0; turn != turns_between; ++turn) co_await net::post(io, use_awaitable);
    }
  }

  /// What all batches hold together, in order.
  std::vector<log_entry> entries() const {
    std::vector<log_entry> all;
    for (auto const& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
    return all;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(log, log_reader)

BOOST_AUTO_TEST_CASE(numbers_drafts_from_one_without_holes) {
  log.append({.from = {1, 2, 3}, .count = 7, .at = 8, .wants = draft::kind::join, .text = "al", .id = "x"});
  log.append({.from = {4, 5, 6}, .count = 1, .text = "hi"});
  start(io, read());
  BOOST_REQUIRE(batches.size() == 1U);
  BOOST_REQUIRE(batches[0].size() == 2U);
  auto const& [seq, first] = batches[0][0];
  BOOST_TEST(seq == 1U);
  BOOST_TEST((first.from == member_id{1, 2, 3}));
  BOOST_TEST(first.count == 7U);
  BOOST_TEST(first.at == 8);
  BOOST_TEST((first.wants == draft::kind::join));
  BOOST_TEST(first.text == "al");
  BOOST_TEST(first.id == "x");
  BOOST_TEST(batches[0][1].seq == 2U);
  BOOST_TEST(batches[0][1].what.text == "hi");
}

BOOST_AUTO_TEST_CASE(yields_nothing_while_nothing_is_said) {
  start(io, read());
  BOOST_TEST(batches.empty());
  BOOST_TEST(!ended);
  say("x");
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
  BOOST_TEST(batches.size() >= 1000U / quiescence::max_turns);
  BOOST_TEST(batches.size() <= 1 + 1000U / (quiescence::max_turns - quiescence::turns_of_speech));
}

BOOST_AUTO_TEST_CASE(a_batch_is_bounded_in_size) {
  auto const third = std::string(memory_log::max_batch_bytes / 3, 'x');
  for (int i = 0; i != 7; ++i) say(third);
  start(io, read());
  BOOST_REQUIRE(batches.size() == 3U);
  BOOST_TEST(batches[0].size() == 3U);
  BOOST_TEST(batches[2].size() == 1U);
  BOOST_TEST(batches[2][0].seq == 7U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_full_does_not_wait) {
  start(io, read());
  say(std::string(memory_log::max_batch_bytes, 'x'));
  io.restart();
  for (int turn = 0; turn != quiescence::turns_of_speech - 1; ++turn) io.poll_one();
  BOOST_TEST(batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_message_over_the_batch_size_goes_alone) {
  say("before");
  say(std::string(2 * memory_log::max_batch_bytes, 'x'));
  say("after");
  start(io, read());
  BOOST_REQUIRE(batches.size() == 3U);
  BOOST_TEST(batches[1].size() == 1U);
}

BOOST_AUTO_TEST_CASE(close_yields_what_was_said_and_then_ends) {
  for (int i = 0; i != 3; ++i) say(std::string(memory_log::max_batch_bytes, 'x'));
  log.close();
  say("too late");
  start(io, read());
  BOOST_TEST(batches.size() == 3U);
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(close_wakes_who_waits_for_more) {
  start(io, read());
  BOOST_TEST(!ended);
  log.close();
  poll(io);
  BOOST_TEST(ended);
  BOOST_TEST(batches.empty());
}

/// Seeded schedules of speakers and of the reader, with messages of all sizes.
BOOST_AUTO_TEST_CASE(whatever_is_said_comes_once_and_in_order) {
  std::mt19937 random(1);
  start(io, read());
  std::vector<std::string> said;
  for (int step = 0; step != 5000; ++step) {
    if (random() % 4 != 0) {
      poll_one(io);
      continue;
    }
    auto const size = random() % 8 == 0 ? random() % memory_log::max_batch_bytes : random() % 100;
    said.push_back(std::to_string(step) + std::string(size, 'x'));
    say(said.back());
  }
  log.close();
  poll(io);
  BOOST_TEST(ended);
  auto const all = entries();
  BOOST_REQUIRE(all.size() == said.size());
  for (std::size_t i = 0; i != all.size(); ++i) {
    BOOST_REQUIRE(all[i].seq == i + 1);
    BOOST_REQUIRE(all[i].what.text == said[i]);
  }
  for (auto const& batch : batches) {
    std::size_t size = 0;
    for (auto const& entry : batch) size += entry.what.text.size();
    BOOST_TEST((batch.size() == 1 || size <= memory_log::max_batch_bytes));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
