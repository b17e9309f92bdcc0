// Frames that are wrong, control frames, and the closing handshake (RFC 6455 sections 5 to 7).

#include <boost/test/unit_test.hpp>
#include <string>

#include "client.hpp"
#include "failing_allocation.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

/// A greeted member of the chat that another one, the witness, shares with it: whatever happens to the one, the other
/// lives on.
struct two_users {
  running_server server;
  client user = client::chat(server.port());
  client witness = client::chat(server.port());

  explicit two_users(settings const& options = test_settings()) : server(options) {
    user.receive_text();
    witness.receive_text();
  }

  /// The user gets this close code, then the end of the connection; the witness is not touched.
  void expect_close(std::uint16_t code) {
    BOOST_TEST(user.receive_close().code == code);
    BOOST_TEST(user.at_end());
    witness.send_text("alive");
    BOOST_TEST(witness.receive_text() == "[user1]: alive");
  }
};

/// One thread reads from its peers in the order in which they have sent.
struct two_users_of_one_thread : two_users {
  two_users_of_one_thread() : two_users(one_thread()) {}

  static settings one_thread() {
    auto options = test_settings();
    options.threads = 1;
    return options;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(protocol, two_users)

BOOST_AUTO_TEST_CASE(ping_is_answered) {
  user.send_frame(0x9, "payload");
  auto const pong = user.receive_frame();
  BOOST_REQUIRE(pong);
  BOOST_TEST(pong->opcode == 0xA);
  BOOST_TEST(pong->payload == "payload");
}

BOOST_AUTO_TEST_CASE(unasked_pong_is_ignored) {
  user.send_frame(0xA, "unasked");
  user.send_text("hi");
  BOOST_TEST(user.receive_text() == "[user0]: hi");
}

BOOST_AUTO_TEST_CASE(invalid_utf8_is_1007) {
  user.send_text("\xc3\x28");
  expect_close(1007);
}

BOOST_AUTO_TEST_CASE(truncated_utf8_is_1007) {
  user.send_text("\xe2\x82");
  expect_close(1007);
}

BOOST_AUTO_TEST_CASE(invalid_utf8_far_into_a_message_is_1007) {
  user.send_text(std::string(200, 'x') + "\xc3\x28");
  expect_close(1007);
}

BOOST_AUTO_TEST_CASE(utf8_truncated_far_into_a_message_is_1007) {
  user.send_text(std::string(126, 'x') + "\xe2\x82");
  expect_close(1007);
}

BOOST_AUTO_TEST_CASE(message_over_the_limit_is_1009) {
  user.send_text(std::string(64 * 1024 + 1, 'x'));
  expect_close(1009);
}

BOOST_AUTO_TEST_CASE(huge_announced_length_is_1009_before_it_comes) {
  user.send_raw("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff____");
  expect_close(1009);
}

BOOST_AUTO_TEST_CASE(fragments_over_the_limit_are_1009) {
  auto const half = std::string(33 * 1024, 'x');
  user.send_frame(0x1, half, {.final = false});
  user.send_frame(0x0, half);
  expect_close(1009);
}

BOOST_AUTO_TEST_CASE(unmasked_frame_is_1002) {
  user.send_frame(0x1, "hi", {.masked = false});
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(reserved_bits_are_1002) {
  user.send_frame(0x1, "hi", {.reserved = 4});
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(unknown_opcodes_are_1002) {
  user.send_frame(0x3, "hi");
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(unknown_control_opcodes_are_1002) {
  user.send_frame(0xB, "");
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(fragmented_control_frame_is_1002) {
  user.send_frame(0x9, "hi", {.final = false});
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(long_control_frame_is_1002) {
  user.send_frame(0x9, std::string(126, 'x'));
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(continuation_of_nothing_is_1002) {
  user.send_frame(0x0, "hi");
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(text_within_a_fragmented_message_is_1002) {
  user.send_frame(0x1, "one", {.final = false});
  user.send_frame(0x1, "two");
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(close_is_answered_with_the_same_code) {
  user.send_close(1000, "bye");
  expect_close(1000);
  BOOST_TEST(server.logs("closed name=user0"));
  BOOST_TEST(server.logs("closed by peer: 1000 bye"));
}

BOOST_AUTO_TEST_CASE(close_without_a_code_is_answered) {
  user.send_frame(0x8, "");
  auto const reply = user.receive_frame();
  BOOST_REQUIRE(reply);
  BOOST_TEST(reply->opcode == 0x8);
  BOOST_TEST(user.at_end());
}

BOOST_AUTO_TEST_CASE(close_with_a_forbidden_code_is_1002) {
  user.send_close(1005);
  expect_close(1002);
}

BOOST_AUTO_TEST_CASE(close_reply_arrives_after_all_that_was_said_before) {
  for (int i = 0; i != 100; ++i) user.send_text("last words");
  user.send_close(1000);
  for (int i = 0; i != 100; ++i) BOOST_TEST(witness.receive_text() == "[user0]: last words");
  expect_close(1000);
}

BOOST_AUTO_TEST_CASE(nothing_comes_after_the_close_reply) {
  user.send_close(1000);
  for (int i = 0; i != 100; ++i) witness.send_text("more");
  for (int i = 0; i != 100; ++i) witness.receive_text();
  expect_close(1000);
}

/// The reply has to wait for a peer that does not read, and others talk on meanwhile.
BOOST_FIXTURE_TEST_CASE(nothing_comes_after_a_close_reply_that_has_to_wait, two_users_of_one_thread) {
  auto slow = client::chat(server.port(), 4096);
  slow.receive_text();
  auto const talk = [&](int messages) {
    for (int i = 0; i != messages; ++i) witness.send_text(std::string(16 * 1024, 'x'));
    for (int i = 0; i != messages; ++i) witness.receive_text();
  };
  talk(30);
  slow.send_close(1000);
  // When its echo comes back, the server has read what was sent before.
  user.send_text("after it");
  while (witness.receive_text() != "[user0]: after it") {
  }
  talk(10);
  auto next = slow.receive_frame();
  for (; next && next->is_text(); next = slow.receive_frame()) BOOST_REQUIRE(!next->payload.ends_with("after it"));
  BOOST_REQUIRE(next);
  BOOST_TEST(next->opcode == 0x8);
  BOOST_TEST(slow.at_end());
}

/// If the server closed its socket while more comes in, the kernel would answer that with a reset, and could destroy
/// what the peer has not read yet.
BOOST_AUTO_TEST_CASE(who_goes_on_sending_after_a_protocol_error_is_not_reset) {
  user.send_frame(0x3, "");
  expect_close(1002);
  for (int i = 0; i != 50; ++i) BOOST_REQUIRE_NO_THROW(user.send_raw(std::string(16 * 1024, 'x')));
}

BOOST_AUTO_TEST_CASE(a_session_that_fails_ends_alone, *boost::unit_test::precondition(memory_can_fail)) {
  constexpr std::size_t size = 12345;
  std::string const text(size, 'x');
  {
    failing_allocation const copy(size + 1);
    user.send_text(text);
    expect_close(1011);
  }
  BOOST_TEST(server.logs("connection_failed reason=std::bad_alloc"));
  BOOST_TEST(server.logs("reason=\"Internal error\""));
}

BOOST_AUTO_TEST_CASE(a_broadcaster_that_fails_stops_the_server, *boost::unit_test::precondition(memory_can_fail)) {
  constexpr std::size_t size = 12345;
  constexpr auto label = std::string_view("[user0]: ");
  failing_allocation const packet(4 + label.size() + size + 1);
  user.send_text(std::string(size, 'x'));
  for (auto* const each : {&user, &witness}) {
    BOOST_TEST(each->receive_close().code == 1012);
    each->send_close(1012);
  }
  BOOST_TEST(server.failure() == "the broadcaster failed: std::bad_alloc");
}

BOOST_AUTO_TEST_CASE(server_closes_and_waits_for_the_answer) {
  server.stop();
  BOOST_TEST((user.receive_close() == closing{1012, "Server is stopping"}));
  BOOST_TEST(!server.ended_within(50ms));
  user.send_close(1012);
  BOOST_TEST(user.at_end());
  BOOST_TEST(witness.receive_close().code == 1012);
  witness.send_close(1012);
  BOOST_TEST(server.ended_within(patience));
}

BOOST_AUTO_TEST_CASE(both_sides_close_at_once) {
  server.stop();
  user.send_close(1000);
  auto const code = user.receive_close().code;
  BOOST_TEST((code == 1000 || code == 1012));
  BOOST_TEST(user.at_end());
}

BOOST_AUTO_TEST_CASE(reset_peer_is_gone_for_the_others) {
  user.reset();
  witness.send_text("alone");
  BOOST_TEST(witness.receive_text() == "[user1]: alone");
  BOOST_TEST(server.logs("closed name=user0"));
  auto next = client::chat(server.port());
  BOOST_TEST(next.receive_text() == "You are connected! There are 2 users here.");
}

BOOST_AUTO_TEST_CASE(peer_that_ends_without_a_close_frame_is_gone) {
  user.finish();
  BOOST_TEST(user.at_end());
  BOOST_TEST(server.logs("closed name=user0"));
}

BOOST_AUTO_TEST_CASE(peer_that_vanishes_within_a_frame_is_gone) {
  user.send_raw("\x81\xfe\x01");
  user.finish();
  BOOST_TEST(user.at_end());
  BOOST_TEST(server.logs("closed name=user0"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
