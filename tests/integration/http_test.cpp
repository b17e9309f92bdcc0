// What the port answers to plain HTTP, and to what is no HTTP.

#include <boost/test/unit_test.hpp>
#include <deque>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"
#include "server/capacity.hpp"

namespace chorus::test {

namespace {

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string get(std::string const& target) { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

/// Clang's UndefinedBehaviorSanitizer looks at objects through a pipe, and finds fault with each where there is none to
/// be had.
boost::test_tools::assertion_result descriptors_may_run_out(boost::unit_test::test_unit_id) {
#if defined(__clang__)
#if __has_feature(undefined_behavior_sanitizer)
  return false;
#endif
#endif
  return true;
}

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

BOOST_AUTO_TEST_CASE(the_page_comes_whole_or_as_its_head_or_not_again) {
  running_server server;
  client peer(server.port());
  peer.send_raw(get("/"));
  auto const page = peer.receive_response();
  BOOST_TEST(page.starts_with("HTTP/1.1 200 "));
  BOOST_TEST(contains(page, "<!doctype html>"));
  BOOST_TEST(page.ends_with("</html>\n"));
  peer.send_raw("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n" +
                get("/healthz"));
  // Neither has a body: what follows is the next answer.
  auto const head = peer.receive_head();
  BOOST_TEST(page.starts_with(head));
  BOOST_TEST(peer.receive_head().starts_with("HTTP/1.1 304 "));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 200 "));
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

BOOST_AUTO_TEST_CASE(header_limit_is_that_of_the_options) {
  auto options = test_settings();
  options.max_header_size = most_max_header_size;
  running_server server(options);
  auto const request = [](std::size_t size) {
    std::string const begin = "GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: ";
    std::string const end = "\r\n\r\n";
    return begin + std::string(size - begin.size() - end.size(), 'x') + end;
  };
  client peer(server.port());
  peer.send_raw(request(most_max_header_size));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 200 "));
  peer.send_raw(request(2 * most_max_header_size));
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 431 "));
}

BOOST_AUTO_TEST_CASE(foreign_origin_is_403) {
  running_server server;
  client peer(server.port());
  BOOST_TEST(peer.upgrade("/chat", "Origin: https://evil.example\r\n").starts_with("HTTP/1.1 403 "));
  BOOST_TEST(peer.upgrade("/chat", "Origin: http://chat.example\r\n").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_CASE(half_a_request_is_408_in_time) {
  auto options = test_settings();
  options.handshake_timeout = 500ms;
  running_server server(options);
  client peer(server.port());
  peer.send_raw("GET /chat HTTP/1.1\r\nHost: x\r\n");
  BOOST_TEST(peer.receive_response().starts_with("HTTP/1.1 408 "));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(silent_connection_is_closed_in_time) {
  auto options = test_settings();
  options.handshake_timeout = 500ms;
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
  options.handshake_timeout = 500ms;
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

BOOST_AUTO_TEST_CASE(a_connection_is_good_for_a_hundred_requests) {
  running_server server;
  client peer(server.port());
  for (int i = 1; i != 100; ++i) {
    peer.send_raw(get("/healthz"));
    BOOST_REQUIRE(!contains(peer.receive_response(), "\r\nConnection: close\r\n"));
  }
  peer.send_raw(get("/healthz"));
  BOOST_TEST(contains(peer.receive_response(), "\r\nConnection: close\r\n"));
  BOOST_TEST(peer.at_end());
}

BOOST_AUTO_TEST_CASE(who_waits_longest_gives_way_to_more_connections) {
  auto options = test_settings();
  options.max_connections = 2;
  running_server server(options);
  std::deque<client> waiting;
  for (std::size_t i = 0; i != 2 + capacity::spare; ++i) waiting.emplace_back(server.port());
  // All are accepted once the last is answered, and the one that asks is not the one that has waited longest any more.
  for (auto* const asks : {&waiting.back(), &waiting.front()}) {
    asks->send_raw(get("/healthz"));
    BOOST_TEST(asks->receive_response().starts_with("HTTP/1.1 200 "));
  }
  auto user = client::chat(server.port());
  user.receive_text();
  BOOST_TEST(waiting[1].at_end());
  BOOST_TEST(!waiting[2].readable_within(50ms));
  waiting.front().send_raw(get("/healthz"));
  BOOST_TEST(waiting.front().receive_response().starts_with("HTTP/1.1 200 "));
}

BOOST_AUTO_TEST_CASE(one_address_has_few_connections_besides_its_websockets) {
  auto options = test_settings();
  options.max_connections_per_address = 1;
  running_server server(options);
  auto user = client::chat(server.port());
  std::deque<client> others;
  for (std::size_t i = 0; i != capacity::spare_per_address; ++i) {
    others.emplace_back(server.port());
    others.back().send_raw(get("/healthz"));
    BOOST_TEST(others.back().receive_response().starts_with("HTTP/1.1 200 "));
  }
  BOOST_TEST(client(server.port()).at_end());
  client elsewhere(server.port(), 0, "127.0.0.2");
  BOOST_TEST(elsewhere.upgrade("/chat").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_CASE(lack_of_descriptors_is_survived, *boost::unit_test::precondition(descriptors_may_run_out)) {
  running_server server;
  // When it is greeted, the server waits for the next one. While it looks whether there is one, it has a descriptor.
  auto user = client::chat(server.port());
  user.receive_text();
  all_descriptors hogged;
  hogged.release_one();
  client newcomer(server.port());  // takes that one, so that there is none for the server's side
  BOOST_TEST(server.logs("cannot_accept reason=\"Too many open files\""));
  auto const before = server.cpu_time();
  BOOST_TEST(!newcomer.readable_within(300ms));
  // It waits for better times, and does not try all the time.
  BOOST_TEST((server.cpu_time() - before < 100ms));
  hogged.release();
  BOOST_TEST(newcomer.upgrade("/chat").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_CASE(who_waits_gives_its_descriptor_to_a_newcomer,
                     *boost::unit_test::precondition(descriptors_may_run_out)) {
  running_server server;
  client idle(server.port());
  idle.send_raw(get("/healthz"));
  idle.receive_response();
  all_descriptors hogged;
  hogged.release_one();
  client newcomer(server.port());
  BOOST_TEST(newcomer.upgrade("/chat").starts_with("HTTP/1.1 101 "));
  BOOST_TEST(idle.at_end());
}

/// The last descriptor goes to a newcomer, and then there is none to accept with, but nobody to accept either.
BOOST_AUTO_TEST_CASE(nobody_gives_way_while_nobody_knocks, *boost::unit_test::precondition(descriptors_may_run_out)) {
  running_server server;
  client idle(server.port());
  idle.send_raw(get("/healthz"));
  idle.receive_response();
  all_descriptors hogged;
  hogged.release_one();
  hogged.release_one();
  client newcomer(server.port());
  newcomer.send_raw(get("/healthz"));
  BOOST_TEST(newcomer.receive_response().starts_with("HTTP/1.1 200 "));
  BOOST_TEST(!idle.readable_within(200ms));
}

BOOST_AUTO_TEST_CASE(a_listener_that_fails_stops_the_server, *boost::unit_test::precondition(descriptors_may_run_out)) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  server.fail_when_it_logs("cannot_accept");
  all_descriptors hogged;
  hogged.release_one();
  client newcomer(server.port());
  BOOST_TEST(user.receive_close().code == 1012);
  hogged.release();
  user.send_close(1012);
  BOOST_TEST(server.failure() == "the listener failed: unknown exception");
  BOOST_TEST(server.logs("server_failed part=listener reason=\"unknown exception\""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
