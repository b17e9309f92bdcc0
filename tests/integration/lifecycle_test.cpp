// Silence, and the end.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

std::ptrdiff_t open_descriptors() {
  std::filesystem::directory_iterator const all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

settings impatient_settings() {
  auto options = test_settings();
  options.ping_interval = 100ms;
  options.ping_timeout = 200ms;
  return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle)

BOOST_AUTO_TEST_CASE(pings_come_in_their_interval) {
  auto options = impatient_settings();
  options.ping_timeout = 5s;
  running_server server(options);
  auto user = client::chat(server.port());
  user.receive_text();
  for (int i = 0; i != 3; ++i) {
    auto const ping = user.receive_frame();
    BOOST_REQUIRE(ping);
    BOOST_TEST(ping->opcode == 0x9);
    user.send_frame(0xA, ping->payload);
  }
}

BOOST_AUTO_TEST_CASE(peer_that_answers_pings_lives) {
  running_server server(impatient_settings());
  auto user = client::chat(server.port());
  user.receive_text();
  auto const until = std::chrono::steady_clock::now() + 800ms;
  while (std::chrono::steady_clock::now() < until) {
    auto const ping = user.receive_frame();
    BOOST_REQUIRE(ping);
    BOOST_REQUIRE(ping->opcode == 0x9);
    user.send_frame(0xA, ping->payload);
  }
  user.send_text("alive");
  BOOST_TEST(user.receive_text() == "[user0]: alive");
}

BOOST_AUTO_TEST_CASE(vanished_peer_is_1011_ping_timeout) {
  running_server server(impatient_settings());
  auto user = client::chat(server.port());
  user.receive_text();
  BOOST_TEST((user.receive_close() == closing{1011, "Ping timeout"}));
  auto newcomer = client::chat(server.port());
  BOOST_TEST(newcomer.receive_text() == "You are connected! There are 1 users here.");
  BOOST_TEST(user.at_end());
  BOOST_TEST(server.logs("left name=user0"));
  BOOST_TEST(server.logs("reason=\"Ping timeout\""));
}

BOOST_AUTO_TEST_CASE(stop_leaves_nothing_behind) {
  auto const before = open_descriptors();
  {
    running_server server;
    std::vector<client> everyone;
    for (int i = 0; i != 200; ++i) {
      everyone.push_back(client::chat(server.port()));
      everyone.back().receive_text();
    }
    client half_request(server.port());
    half_request.send_raw("GET /chat HT");
    client silent(server.port());
    for (auto& user : everyone) user.send_text("busy");
    server.stop();
    for (auto& user : everyone) {
      BOOST_TEST(user.receive_close().code == 1012);
      user.send_close(1012);
    }
    BOOST_TEST(server.ended_within(patience));
    BOOST_TEST(half_request.at_end());
    BOOST_TEST(silent.at_end());
  }
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(what_was_said_is_delivered_before_the_stop) {
  running_server server;
  auto speaker = client::chat(server.port());
  auto listener = client::chat(server.port());
  speaker.receive_text();
  listener.receive_text();
  for (int i = 0; i != 100; ++i) speaker.send_text("last words");
  BOOST_TEST(speaker.receive_text() == "[user0]: last words");
  server.stop();
  BOOST_TEST(listener.receive_text() == "[user0]: last words");
  BOOST_TEST(listener.receive_close().code == 1012);
}

BOOST_AUTO_TEST_CASE(nobody_gets_in_while_it_stops) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  server.stop();
  BOOST_TEST(user.receive_close().code == 1012);
  BOOST_CHECK_THROW(client(server.port()), std::runtime_error);
}

/// Their last answer is out, and they neither read it nor end: there is nothing to wait for.
BOOST_AUTO_TEST_CASE(lingering_peers_do_not_delay_the_stop) {
  running_server server;
  client answered(server.port());
  answered.send_raw("GET /healthz HTTP/1.0\r\n\r\n");
  answered.receive_response();
  auto wrong = client::chat(server.port());
  wrong.receive_text();
  wrong.send_frame(0x3, "");
  BOOST_TEST(wrong.receive_close().code == 1002);
  server.stop();
  BOOST_TEST(server.ended_within(2s));
}

BOOST_AUTO_TEST_CASE(peers_that_do_not_leave_are_cut_off_in_time) {
  auto options = test_settings();
  options.drain_timeout = 300ms;
  running_server server(options);
  auto user = client::chat(server.port());
  user.receive_text();
  server.stop();
  BOOST_TEST(user.receive_close().code == 1012);
  BOOST_TEST(server.ended_within(patience));
  BOOST_TEST(user.at_end());
}

BOOST_AUTO_TEST_CASE(abort_ends_at_once) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  client silent(server.port());
  server.abort();
  BOOST_TEST((user.receive_close() == closing{1001, "Server has stopped"}));
  BOOST_TEST(server.ended_within(2s));
  BOOST_TEST(user.at_end());
  BOOST_TEST(silent.at_end());
}

BOOST_AUTO_TEST_CASE(abort_follows_stop) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  server.stop();
  BOOST_TEST(user.receive_close().code == 1012);
  server.abort();
  BOOST_TEST(server.ended_within(2s));
  // It was told already, and a second close frame would be wrong.
  BOOST_TEST(user.at_end());
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_an_error_that_says_so) {
  running_server server;
  auto options = test_settings();
  options.port = server.port();
  BOOST_CHECK_EXCEPTION(running_server{options}, std::runtime_error, [](std::runtime_error const& e) {
    return std::string_view(e.what()).ends_with(": Address already in use");
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
