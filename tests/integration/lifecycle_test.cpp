// Silence, and the end.

#include <boost/test/unit_test.hpp>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

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
  auto options = impatient_settings();
  options.ping_timeout = 1s;
  running_server server(options);
  auto user = client::chat(server.port());
  user.receive_text();
  auto const until = std::chrono::steady_clock::now() + 1500ms;
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
  BOOST_TEST(server.logs("closed name=user0"));
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

std::string ask_if_ready(running_server const& server) {
  client peer(server.port());
  peer.send_raw("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return peer.receive_response().substr(0, 12);
}

BOOST_AUTO_TEST_CASE(is_not_ready_for_the_drain_delay_but_serves) {
  auto options = test_settings();
  options.drain_delay = 2s;
  running_server server(options);
  BOOST_TEST(ask_if_ready(server) == "HTTP/1.1 200");
  auto user = client::chat(server.port());
  user.receive_text();
  auto const begun = std::chrono::steady_clock::now();
  server.stop();
  while (ask_if_ready(server) != "HTTP/1.1 503") BOOST_REQUIRE((std::chrono::steady_clock::now() - begun < 1500ms));
  auto late = client::chat(server.port());
  BOOST_TEST(late.receive_text() == "You are connected! There are 2 users here.");
  late.send_text("still served");
  BOOST_TEST(user.receive_text() == "[user1]: still served");
  BOOST_TEST(user.receive_close().code == 1012);
  BOOST_TEST((std::chrono::steady_clock::now() - begun >= options.drain_delay));
  BOOST_CHECK_THROW(client(server.port()), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(abort_does_not_wait_for_the_drain_delay) {
  auto options = test_settings();
  options.drain_delay = std::chrono::hours(1);
  running_server server(options);
  auto user = client::chat(server.port());
  user.receive_text();
  server.stop();
  BOOST_TEST(ask_if_ready(server) == "HTTP/1.1 503");
  server.abort();
  BOOST_TEST((user.receive_close() == closing{1001, "Server has stopped"}));
  BOOST_TEST(server.ended_within(5s));
}

/// Many who come back at the same moment would be a storm for whoever takes them.
BOOST_AUTO_TEST_CASE(farewells_to_many_are_spread_and_who_is_not_told_yet_talks_on) {
  constexpr std::size_t many = 400;
  running_server server;
  std::deque<client> everyone;
  for (std::size_t i = 0; i != many; ++i) {
    everyone.push_back(client::chat(server.port()));
    everyone.back().receive_text();
  }
  auto& last = everyone.back();
  auto const begun = std::chrono::steady_clock::now();
  server.stop();
  BOOST_TEST(everyone.front().receive_close().code == 1012);
  last.send_text("not told yet");
  // It is told 192 ms after the first: who says it later may be too late.
  if (std::chrono::steady_clock::now() - begun < 100ms) BOOST_TEST(last.receive_text() == "[user399]: not told yet");
  BOOST_TEST(last.receive_close().code == 1012);
  auto const spread = std::chrono::steady_clock::now() - begun;
  BOOST_TEST((spread > 100ms));
  BOOST_TEST((spread < test_settings().drain_timeout / 2));
  for (auto& user : everyone) user.send_close(1012);
  BOOST_TEST(server.ended_within(patience));
}

/// Whoever is told while the upgrade is being answered gets that answer, then the farewell, and does not join.
BOOST_AUTO_TEST_CASE(who_joins_is_greeted_even_if_it_stops) {
  for (int round = 0; round != 20; ++round) {
    running_server server;
    std::deque<client> everyone;
    for (int i = 0; i != 50; ++i) {
      everyone.emplace_back(server.port());
      everyone.back().send_raw(
          "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    }
    server.stop();
    int greeted = 0;
    for (auto& user : everyone) {
      try {
        if (!user.receive_response().starts_with("HTTP/1.1 101 ")) continue;
      } catch (std::runtime_error const&) {
        continue;  // it was not accepted any more, or had not been read from
      }
      auto next = user.receive_frame();
      for (; next && next->is_text(); next = user.receive_frame()) ++greeted;
      BOOST_REQUIRE(next);
      BOOST_TEST(next->opcode == 0x8);
      user.send_close(1012);
    }
    BOOST_TEST(server.ended_within(5s));
    auto const log = server.log();
    int joined = 0;
    for (auto at = log.find("joined"); at != std::string::npos; at = log.find("joined", at + 1)) ++joined;
    BOOST_TEST(joined == greeted);
  }
}

/// A pong proves that the server has read what was sent before the ping. So that goes to everyone before the farewell,
/// also to those who are told later than others: what was read before the stop in any case, and on one thread all, save
/// for what is read in the very turn of the farewell.
BOOST_AUTO_TEST_CASE(what_was_read_before_the_farewell_comes_before_it) {
  constexpr std::size_t before_stop = 1500;
  for (std::size_t const others : {0U, 50U, 0U, 50U, 0U, 50U, 0U, 50U}) {
    running_server server;
    std::deque<client> in_front;
    for (std::size_t i = 0; i != others; ++i) {
      in_front.push_back(client::chat(server.port()));
      in_front.back().receive_text();
    }
    auto speaker = client::chat(server.port());
    auto listener = client::chat(server.port());
    speaker.receive_text();
    listener.receive_text();
    std::jthread const talk([&speaker] {
      for (int i = 0; i != 20'000; ++i) {
        try {
          speaker.send_text("x");
          speaker.send_frame(0x9, "");
        } catch (std::runtime_error const&) {
          return;  // the server has closed the connection
        }
      }
    });
    std::size_t pongs = 0;
    auto next = speaker.receive_frame();
    for (; next && next->opcode != 0x8; next = speaker.receive_frame()) {
      pongs += next->opcode == 0xA ? 1 : 0;
      if (pongs == before_stop) server.stop();
    }
    std::size_t heard = 0;
    next = listener.receive_frame();
    for (; next && next->opcode != 0x8; next = listener.receive_frame()) heard += next->is_text() ? 1 : 0;
    BOOST_TEST(heard >= before_stop);
    if (test_settings().threads == 1) BOOST_TEST(heard + 2 >= pongs);
    speaker.finish();
    server.abort();
  }
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
  BOOST_TEST(server.ended_within(5s));
}

BOOST_AUTO_TEST_CASE(peers_that_do_not_leave_are_cut_off_in_time) {
  auto options = test_settings();
  options.drain_timeout = 1s;
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
  BOOST_TEST(server.ended_within(5s));
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
  BOOST_TEST(server.ended_within(5s));
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
