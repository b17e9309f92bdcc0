// One server on several threads, whatever the environment says.

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

/// How many threads of servers there are, by their names.
std::ptrdiff_t shard_threads() {
  std::filesystem::directory_iterator const all("/proc/self/task");
  return std::count_if(begin(all), end(all), [](auto const& thread) {
    std::string name;
    std::ifstream(thread.path() / "comm") >> name;
    return name.starts_with("shard-");
  });
}

/// True when there is none, at the latest when patience ends: the kernel shows one for a moment after it was joined.
bool no_shard_threads() {
  auto const until = std::chrono::steady_clock::now() + patience;
  while (shard_threads() != 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  return shard_threads() == 0;
}

settings on_threads(std::size_t count) {
  auto options = test_settings();
  options.threads = count;
  return options;
}

/// Connects, says something and goes, again and again, until there is no server any more. Returns how often.
int come_and_go(std::uint16_t port, std::atomic<int>& everyones) {
  int visits = 0;
  try {
    for (std::optional<client> last;; ++visits, ++everyones) {
      auto next = client::chat(port);
      next.receive_text();
      next.send_text("x");
      // So that descriptors are moved, used and closed at the same time.
      if (last) last->reset();
      last.emplace(std::move(next));
    }
  } catch (std::runtime_error const&) {
    return visits;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(several_threads)

BOOST_AUTO_TEST_CASE(come_with_the_server_and_go_with_it) {
  BOOST_TEST(no_shard_threads());
  running_server server(on_threads(3));
  // The first shard has the thread that runs it.
  BOOST_TEST(shard_threads() == 2);
  server.stop();
  BOOST_TEST(server.ended_within(patience));
  BOOST_TEST(no_shard_threads());
}

BOOST_AUTO_TEST_CASE(serve_one_room_in_one_order) {
  constexpr std::size_t members = 8;
  running_server server(on_threads(4));
  std::deque<client> all;
  for (std::size_t i = 0; i != members; ++i) {
    all.push_back(client::chat(server.port()));
    all.back().receive_text();
  }
  for (auto& each : all)
    for (int i = 0; i != 20; ++i) each.send_text(std::to_string(i));
  std::vector<std::string> order;
  for (std::size_t i = 0; i != members * 20; ++i) order.push_back(all.front().receive_text());
  for (std::size_t other = 1; other != members; ++other)
    for (auto const& line : order) BOOST_REQUIRE(all[other].receive_text() == line);
}

/// Connections on their way to their threads, what they say on its way to the room, and what it says on its way back.
BOOST_AUTO_TEST_CASE(leave_nothing_behind_whatever_was_between_them) {
  auto const descriptors_before = open_descriptors();
  for (int round = 0; round != 5; ++round) {
    running_server server(on_threads(4));
    std::atomic<int> visits = 0;
    std::vector<std::jthread> many;
    for (int i = 0; i != 4; ++i) many.emplace_back([&] { come_and_go(server.port(), visits); });
    while (visits < 50) std::this_thread::yield();
    round % 2 == 0 ? server.stop() : server.abort();
    many.clear();
    BOOST_TEST(server.ended_within(patience));
    BOOST_TEST(server.failure() == "");
    BOOST_TEST(!server.has_logged("connection_failed"));
  }
  BOOST_TEST(open_descriptors() == descriptors_before);
  BOOST_TEST(no_shard_threads());
}

/// Places are given back from every thread.
BOOST_AUTO_TEST_CASE(keep_limits_exactly) {
  constexpr std::size_t most = 8;
  auto options = on_threads(4);
  options.max_connections = most;
  options.rooms.max_rooms = 2;
  options.rooms.history_ttl = 0ms;
  running_server server(options);
  std::deque<client> all;
  for (std::size_t i = 0; i != most; ++i) {
    all.emplace_back(server.port());
    BOOST_TEST(all.back().upgrade(i % 2 == 0 ? "/chat/a" : "/chat/b").starts_with("HTTP/1.1 101 "));
  }
  BOOST_TEST(client(server.port()).upgrade("/chat/a").starts_with("HTTP/1.1 503 "));
  // All places come back one after the other, never more.
  for (std::size_t i = 0; i != 2 * most; ++i) {
    all.front().reset();
    all.pop_front();
    auto const until = std::chrono::steady_clock::now() + patience;
    while (true) {
      client next(server.port());
      if (next.upgrade(i % 2 == 0 ? "/chat/a" : "/chat/b").starts_with("HTTP/1.1 101 ")) {
        all.push_back(std::move(next));
        break;
      }
      BOOST_REQUIRE((std::chrono::steady_clock::now() < until));
    }
    BOOST_TEST(client(server.port()).upgrade("/echo").starts_with("HTTP/1.1 503 "));
  }
}

/// Logging fails on a thread that does not accept, outside of any connection.
BOOST_AUTO_TEST_CASE(end_the_server_loudly_if_one_fails) {
  auto options = on_threads(2);
  options.slow_turn = 1ms;
  options.max_message_size = 0;
  options.outbound_limit = 64 * 1024 * 1024;
  running_server server(options);
  auto here = client::echo(server.port());
  auto there = client::echo(server.port());
  here.receive_text();
  there.receive_text();
  server.fail_when_it_logs("slow_turn");
  there.send_text(std::string(16 * 1024 * 1024, 'x'));
  BOOST_TEST(here.receive_close().code == 1012);
  BOOST_TEST(server.logs("server_failed part=\"event loop\" reason=\"unknown exception\""));
  server.abort();
  BOOST_TEST(server.failure() == "the event loop failed: unknown exception");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
