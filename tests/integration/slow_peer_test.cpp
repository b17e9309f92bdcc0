// A peer that does not read costs nobody else anything, itself messages, and in the end its connection.

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t outbound_limit = 64 * 1024;
constexpr std::size_t message_size = 16 * 1024;
/// More than the kernel takes for a peer (its send buffer grows to 4 MiB by default) and the outbound limit besides.
constexpr int messages = 600;

settings strict_settings() {
  auto options = test_settings();
  options.outbound_limit = outbound_limit;
  return options;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_real = false;
#elif defined(__has_feature)
constexpr bool memory_is_real = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool memory_is_real = true;
#endif

/// How much this process, with the server in it, has grown since construction. Sanitizers keep what is freed, so there
/// it says nothing.
class growth {
 public:
  bool below(std::ptrdiff_t bytes) const { return !memory_is_real || resident_bytes() - before_ < bytes; }

 private:
  static std::ptrdiff_t resident_bytes() {
    std::ptrdiff_t total = 0;
    std::ptrdiff_t resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
  }

  std::ptrdiff_t before_ = resident_bytes();
};

/// Far below what a stalled peer would cost without a limit: everything that is said.
constexpr std::ptrdiff_t bounded = message_size * messages / 3;

std::string numbered(int number) {
  auto text = std::to_string(number) + " ";
  return text + std::string(message_size - text.size(), 'x');
}

int number_of(std::string const& line) { return std::stoi(line.substr(line.find(": ") + 2)); }

/// Everyone sends and reads in turns, `messages` in all.
void chat_on(std::vector<client>& everyone) {
  for (int m = 0; m != messages; ++m) {
    everyone[static_cast<std::size_t>(m) % everyone.size()].send_text(numbered(m));
    for (auto& user : everyone) BOOST_REQUIRE_EQUAL(number_of(user.receive_text()), m);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(slow_peer)

BOOST_AUTO_TEST_CASE(is_told_exactly_what_it_missed_and_delays_nobody) {
  running_server server(strict_settings());
  auto stalled = client::chat(server.port(), 4096);
  stalled.receive_text();
  std::vector<client> others;
  for (int i = 0; i != 50; ++i) {
    others.push_back(client::chat(server.port()));
    others.back().receive_text();
  }
  growth const grown;
  auto const begun = clock::now();
  chat_on(others);
  BOOST_TEST_MESSAGE("50 users exchanged " << messages << " messages in " << (clock::now() - begun) / 1ms << " ms");
  BOOST_TEST(grown.below(bounded));

  // It reads again: first what was on its way, then the notice, then live messages. Nothing is unaccounted for.
  int next = 0;
  auto line = stalled.receive_text();
  for (; !line.starts_with("[chorus]: "); line = stalled.receive_text()) BOOST_REQUIRE_EQUAL(number_of(line), next++);
  BOOST_TEST(next < messages);
  auto const skipped = number_of(line);
  BOOST_TEST(line == "[chorus]: " + std::to_string(messages - next) + " messages skipped");
  BOOST_TEST(skipped == messages - next);
  others.front().send_text("live again");
  BOOST_TEST(stalled.receive_text() == "[user1]: live again");
}

BOOST_AUTO_TEST_CASE(is_cut_off_at_the_write_deadline) {
  auto options = strict_settings();
  options.write_timeout = 300ms;
  running_server server(options);
  auto stalled = client::chat(server.port(), 4096);
  stalled.receive_text();
  std::vector<client> others;
  others.push_back(client::chat(server.port()));
  others.back().receive_text();
  chat_on(others);
  BOOST_TEST(server.logs("left name=user0"));
  BOOST_TEST(server.logs("reason=\"Write timeout\""));
  auto newcomer = client::chat(server.port());
  BOOST_TEST(newcomer.receive_text() == "You are connected! There are 2 users here.");
}

BOOST_AUTO_TEST_CASE(that_reads_slowly_but_steadily_stays) {
  auto options = strict_settings();
  options.write_timeout = 1s;
  running_server server(options);
  auto slow = client::chat(server.port(), 4096);
  slow.receive_text();
  std::vector<client> others;
  others.push_back(client::chat(server.port()));
  others.back().receive_text();
  chat_on(others);
  auto const until = clock::now() + 3 * options.write_timeout;
  while (clock::now() < until && !slow.receive_text().starts_with("[chorus]: ")) {
  }
  slow.send_text("still here");
  auto line = slow.receive_text();
  while (line != "[user0]: still here") line = slow.receive_text();
  BOOST_TEST(line == "[user0]: still here");
}

BOOST_AUTO_TEST_CASE(of_the_echo_is_not_read_from_either) {
  auto options = strict_settings();
  options.write_timeout = 300ms;
  running_server server(options);
  client stalled(server.port(), 4096);
  stalled.upgrade("/echo");
  // Sends until the server takes no more, since it cannot give back, and cuts it off.
  auto const send_for_ever = [&] {
    for (;;) stalled.send_text(std::string(message_size, 'x'));
  };
  growth const grown;
  BOOST_CHECK_THROW(send_for_ever(), std::runtime_error);
  BOOST_TEST(grown.below(bounded));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
