// What the port answers to plain HTTP, and to what is no HTTP.

#include <boost/test/unit_test.hpp>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string get(std::string const& target) { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

/// All descriptors that this process may have.
class all_descriptors {
 public:
  all_descriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    auto few = before_;
    few.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
  }
  ~all_descriptors() { release(); }

  void release_one() {
    ::close(taken_.back());
    taken_.pop_back();
  }
  void release() {
    while (!taken_.empty()) release_one();
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http)

BOOST_AUTO_TEST_CASE(plain_get_on_a_websocket_path_is_426) {
  running_server server;
  client peer(server.port());
  peer.send_raw(get("/chat"));
  auto const answer = peer.receive_response();
  BOOST_TEST(answer.starts_with("HTTP/1.1 426 "));
  BOOST_TEST(contains(answer, "\r\nUpgrade: websocket\r\n"));
  BOOST_TEST(contains(answer, "\r\nContent-Type: application/problem+json\r\n"));
  BOOST_TEST(contains(answer, "\"status\":426"));
}

BOOST_AUTO_TEST_CASE(connection_is_kept_alive_and_pipelined) {
  running_server server;
  client peer(server.port());
  peer.send_raw(get("/nowhere") + get("/healthz") + get("/echo"));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 404 "));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 200 "));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 426 "));
  BOOST_TEST(peer.upgrade("/echo").starts_with("HTTP/1.1 101 "));
  BOOST_TEST(peer.receive_text() == "You are connected!");
}

BOOST_AUTO_TEST_CASE(connection_close_is_honoured) {
  running_server server;
  client peer(server.port());
  peer.send_raw("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BOOST_TEST(contains(peer.receive_response(), "\r\nConnection: close\r\n"));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(http_1_0_is_answered_and_closed) {
  running_server server;
  client peer(server.port());
  peer.send_raw("GET /healthz HTTP/1.0\r\n\r\n");
  BOOST_TEST(contains(peer.receive_response(), " 200 "));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(body_is_not_taken_for_a_request) {
  running_server server;
  client peer(server.port());
  peer.send_raw("POST /chat HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  auto const answer = peer.receive_response();
  BOOST_TEST(answer.starts_with("HTTP/1.1 405 "));
  BOOST_TEST(contains(answer, "\r\nAllow: GET, HEAD\r\n"));
  // The rest of the body must not turn the answer into a reset.
  peer.send_raw(std::string(100000, 'x'));
  peer.finish();
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(garbage_is_400) {
  running_server server;
  client peer(server.port());
  peer.send_raw("\x16\x03\x01\x02\x01 this is no HTTP\r\n\r\n");
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 400 "));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(large_header_is_431) {
  running_server server;
  client peer(server.port());
  peer.send_raw("GET /chat HTTP/1.1\r\nHost: x\r\nCookie: " + std::string(9 * 1024, 'x'));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 431 "));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(header_at_the_limit_is_fine) {
  running_server server;
  client peer(server.port());
  peer.send_raw("GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + std::string(7 * 1024, 'x') + "\r\n\r\n");
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 200 "));
}

BOOST_AUTO_TEST_CASE(foreign_origin_is_403) {
  running_server server;
  client peer(server.port());
  BOOST_TEST(peer.upgrade("/chat", "Origin: https://evil.example\r\n").starts_with("HTTP/1.1 403 "));
  BOOST_TEST(peer.upgrade("/chat", "Origin: http://chat.example\r\n").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_CASE(half_a_request_is_408_in_time) {
  auto options = test_settings();
  options.handshake_timeout = 100ms;
  running_server server(options);
  client peer(server.port());
  peer.send_raw("GET /chat HTTP/1.1\r\nHost: x\r\n");
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 408 "));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(silent_connection_is_closed_in_time) {
  auto options = test_settings();
  options.handshake_timeout = 100ms;
  running_server server(options);
  client silent(server.port());
  client between_requests(server.port());
  between_requests.send_raw(get("/healthz"));
  between_requests.receive_response();
  BOOST_TEST(silent.at_end());
  BOOST_TEST(between_requests.at_end());
}

BOOST_AUTO_TEST_CASE(slow_handshake_is_cut_off_for_all_its_progress) {
  auto options = test_settings();
  options.handshake_timeout = 200ms;
  running_server server(options);
  client slow(server.port());
  slow.send_raw("GET /chat HTTP/1.1\r\nHost: x\r\n");
  auto const begun = std::chrono::steady_clock::now();
  while (!slow.readable_within(10ms)) {
    slow.send_raw("X: y\r\n");
    BOOST_REQUIRE(std::chrono::steady_clock::now() - begun < patience);
  }
  BOOST_TEST(slow.receive_response().starts_with("HTTP/1.1 408 "));
}

BOOST_AUTO_TEST_CASE(frames_before_the_upgrade_is_answered_are_400) {
  running_server server;
  client peer(server.port());
  peer.send_raw(
      "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x80____");
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 400 "));
}

BOOST_AUTO_TEST_CASE(connections_over_the_limit_are_503) {
  auto options = test_settings();
  options.max_connections = 2;
  running_server server(options);
  auto first = client::chat(server.port());
  first.receive_text();
  auto second = client::echo(server.port());
  client third(server.port());
  auto const answer = third.upgrade("/chat");
  BOOST_TEST(answer.starts_with("HTTP/1.1 503 "));
  BOOST_TEST(contains(answer, "\r\nRetry-After: "));

  first.send_close(1000);
  first.receive_close();
  BOOST_TEST(first.at_end());
  // The place is free when the server has seen that the peer is gone: until then it says so, and the connection lives
  // on.
  auto const begun = std::chrono::steady_clock::now();
  while (!third.upgrade("/chat").starts_with("HTTP/1.1 101 "))
    BOOST_REQUIRE(std::chrono::steady_clock::now() - begun < patience);
  BOOST_TEST(third.receive_text() == "You are connected! There are 1 users here.");
}

BOOST_AUTO_TEST_CASE(connections_of_one_address_over_the_limit_are_503) {
  auto options = test_settings();
  options.max_connections_per_address = 1;
  running_server server(options);
  auto first = client::chat(server.port());
  client same(server.port());
  BOOST_TEST(same.upgrade("/chat").starts_with("HTTP/1.1 503 "));
  client other(server.port(), 0, "127.0.0.2");
  BOOST_TEST(other.upgrade("/chat").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_CASE(lack_of_descriptors_is_survived) {
  running_server server;
  all_descriptors hogged;
  hogged.release_one();
  client newcomer(server.port());  // takes that one, so that there is none for the server's side
  BOOST_TEST(server.logs("cannot accept connections: Too many open files"));
  hogged.release();
  BOOST_TEST(newcomer.upgrade("/chat").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
