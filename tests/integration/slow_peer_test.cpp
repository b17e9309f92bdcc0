// A peer that does not read costs nobody else anything, itself messages, and in the end its connection.

#include <boost/test/unit_test.hpp>
#include <deque>
#include <filesystem>
#include <fstream>
#include <linux/sock_diag.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "client.hpp"
#include "much_to_say.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

using clock = std::chrono::steady_clock;

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

/// How much memory this process had at most, since `forget_peak`.
std::ptrdiff_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmHWM:") {
  }
  std::ptrdiff_t kib = 0;
  status >> kib;
  return kib * 1024;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

/// What all TCP connections of this process keep in the kernel.
std::ptrdiff_t kernel_tcp_bytes() {
  std::ptrdiff_t total = 0;
  for (auto const& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::uint32_t of[SK_MEMINFO_VARS] = {};
    socklen_t size = sizeof(of);
    if (::getsockopt(std::stoi(file.path().filename()), SOL_SOCKET, SO_MEMINFO, of, &size) == 0)
      total += of[SK_MEMINFO_RMEM_ALLOC] + of[SK_MEMINFO_WMEM_QUEUED] + of[SK_MEMINFO_FWD_ALLOC];
  }
  return total;
}

/// Far below what a stalled peer would cost without a limit: everything that is said.
constexpr std::ptrdiff_t bounded = message_size * messages / 3;

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
  BOOST_TEST(server.logs("closed name=user0"));
  BOOST_TEST(server.logs("reason=\"Write timeout\""));
  auto newcomer = client::chat(server.port());
  BOOST_TEST(newcomer.receive_text() == "You are connected! There are 2 users here.");
}

BOOST_AUTO_TEST_CASE(that_acknowledges_nothing_goes_at_the_deadline) {
  auto options = strict_settings();
  options.write_timeout = 2s;
  running_server server(options);
  auto stalled = client::chat(server.port(), 4096);
  stalled.receive_text();
  auto speaker = client::chat(server.port());
  speaker.receive_text();
  auto const begun = clock::now();
  for (int m = 0; m != 20; ++m) {
    speaker.send_text(numbered(m));
    speaker.receive_text();
  }
  auto const backlog = clock::now();
  BOOST_TEST(server.logs("closed name=user0"));
  BOOST_TEST(server.logs("reason=\"Write timeout\""));
  BOOST_TEST((clock::now() - begun >= options.write_timeout));
  BOOST_TEST((clock::now() - backlog < options.write_timeout * 2));
}

/// In the process and in the kernel, where both ends of each connection count.
BOOST_AUTO_TEST_CASE(costs_no_more_than_the_limits_in_the_process_and_in_the_kernel) {
  constexpr std::ptrdiff_t many = 500;
  auto options = strict_settings();
  running_server server(options);
  std::deque<client> stalled;
  for (int i = 0; i != many; ++i) {
    stalled.push_back(client::chat(server.port(), 4096));
    stalled.back().receive_text();
  }
  auto speaker = client::chat(server.port());
  speaker.receive_text();
  growth const grown;
  auto const kernel_before = kernel_tcp_bytes();
  for (int m = 0; m != 100; ++m) {
    speaker.send_text(numbered(m));
    BOOST_REQUIRE_EQUAL(number_of(speaker.receive_text()), m);
  }
  BOOST_TEST_MESSAGE("the kernel keeps " << (kernel_tcp_bytes() - kernel_before) / many << " bytes for each");
  // The kernel counts its own bookkeeping, too.
  BOOST_TEST((kernel_tcp_bytes() - kernel_before) / many < 2 * static_cast<std::ptrdiff_t>(options.unsent_limit));
  BOOST_TEST(grown.below(many * static_cast<std::ptrdiff_t>(options.outbound_limit)));
}

/// A buffer for one large message is given back: most connections are idle.
BOOST_AUTO_TEST_CASE(that_said_much_once_keeps_no_buffer_for_it) {
  constexpr std::ptrdiff_t many = 300;
  running_server server;
  auto witness = client::chat(server.port());
  witness.receive_text();
  std::deque<client> users;
  for (int i = 0; i != many; ++i) {
    client user(server.port());
    user.upgrade("/echo");
    user.receive_text();
    users.push_back(std::move(user));
  }
  growth const grown;
  for (auto& user : users) {
    user.send_text(std::string(64 * 1024, 'x'));
    user.receive_text();
  }
  BOOST_TEST(grown.below(many * 16 * 1024));
}

/// Nothing but the failed write says that it is gone: no deadline is set.
BOOST_AUTO_TEST_CASE(that_resets_while_something_waits_is_gone) {
  auto options = strict_settings();
  options.ping_interval = options.write_timeout = 0s;
  options.max_message_size = options.outbound_limit = 16 * 1024 * 1024;
  running_server server(options);
  client stalled(server.port(), 4096);
  stalled.upgrade("/echo");
  stalled.receive_text();
  stalled.send_text(std::string(8 * 1024 * 1024, 'x'));
  BOOST_REQUIRE(stalled.readable_within(patience));
  stalled.reset();
  server.stop();
  BOOST_TEST(server.ended_within(5s));
}

/// Many members make each fan-out yield often, and meanwhile others talk: who would say more waits for the room.
BOOST_AUTO_TEST_CASE(of_a_room_that_is_behind_are_not_read_from) {
  constexpr int speakers = 20;
  constexpr int rounds = 20;
  auto const options = strict_settings();
  running_server server(options);
  std::deque<client> everyone;
  for (int i = 0; i != 200 + speakers; ++i) {
    everyone.push_back(client::chat(server.port(), 4096));
    everyone.back().receive_text();
  }
  std::string const text(64 * 1024, 'x');
  forget_peak();
  auto const before = peak_bytes();
  for (int round = 0; round != rounds; ++round)
    for (int i = 0; i != speakers; ++i) everyone[static_cast<std::size_t>(i)].send_text(text);
  // One who reads knows when all that has been broadcast. It may be slow itself, and miss its own word.
  auto witness = client::chat(server.port());
  witness.receive_text();
  witness.send_text("last");
  for (std::string heard; heard != "[user220]: last"; heard = witness.receive_text())
    if (heard.ends_with("messages skipped")) witness.send_text("last");
  BOOST_TEST_MESSAGE("the peak grew by " << (peak_bytes() - before) / 1024 << " KiB");
  // Each thread may have its part of what is on its way.
  auto const most = (4 + 2 * static_cast<std::ptrdiff_t>(options.threads)) * 1024 * 1024;
  BOOST_TEST((!memory_is_real || peak_bytes() - before < most));
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
