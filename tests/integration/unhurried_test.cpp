// Peers that are slow and steady. A program of its own, which runs beside the other tests, since it takes its time.

#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>

#include "client.hpp"
#include "much_to_say.hpp"

namespace chorus::test {

using clock = std::chrono::steady_clock;

BOOST_AUTO_TEST_SUITE(slow_but_steady)

/// At 20 KB/s it takes seconds until half of what the kernel holds has gone, and a ping waits behind all of that.
BOOST_AUTO_TEST_CASE(who_reads_20_KB_per_second_stays_and_accounts_for_everything) {
  auto options = strict_settings();
  options.write_timeout = options.ping_timeout = 2s;
  options.ping_interval = 1s;
  running_server server(options);
  auto slow = client::chat(server.port(), 4096);
  slow.receive_text();
  auto speaker = client::chat(server.port());
  speaker.receive_text();
  slow.throttle(20'000);
  auto const begun = clock::now();
  std::jthread const talk([&] {
    for (int m = 0; m != messages; ++m) {
      std::this_thread::sleep_until(begun + m * 3 * options.write_timeout / messages);
      speaker.send_text(numbered(m));
      speaker.receive_text();
    }
  });

  int next = 0;
  int notices = 0;
  while (next != messages) {
    auto const line = slow.receive_text();
    if (line.starts_with("[chorus]: ")) {
      ++notices;
      next += number_of(line);
    } else {
      BOOST_REQUIRE_EQUAL(number_of(line), next++);
    }
  }
  BOOST_TEST((clock::now() - begun >= 3 * options.write_timeout));
  BOOST_TEST(notices > 0);
  slow.send_text("still here");
  BOOST_TEST(slow.receive_text() == "[user0]: still here");
}

BOOST_AUTO_TEST_CASE(who_uploads_one_large_message_slowly_stays) {
  constexpr std::size_t size = 1024 * 1024;
  auto options = test_settings();
  options.max_message_size = size;
  options.outbound_limit = 2 * size;
  options.ping_interval = options.ping_timeout = 1s;
  running_server server(options);
  auto user = client::chat(server.port());
  user.receive_text();
  user.throttle(30'000);
  user.send_text(std::string(size, 'x'));
  user.throttle(0);
  BOOST_TEST(user.receive_text() == "[user0]: " + std::string(size, 'x'));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
