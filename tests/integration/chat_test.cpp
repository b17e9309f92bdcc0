// The tutorial's behaviour, to the byte, and the order that all members see.

#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <vector>

#include "client.hpp"
#include "member.hpp"
#include "running_server.hpp"

namespace chorus::test {

BOOST_AUTO_TEST_SUITE(chat)

BOOST_AUTO_TEST_CASE(the_tutorials_own_test) {
  running_server server;
  auto user = client::chat(server.port());
  BOOST_TEST(user.receive_text() == "You are connected! There are 1 users here.");
  user.send_text("Hello, I was first!");
  BOOST_TEST(user.receive_text() == "[user0]: Hello, I was first!");
}

BOOST_AUTO_TEST_CASE(echo_repeats) {
  running_server server;
  auto user = client::echo(server.port());
  BOOST_TEST(user.receive_text() == "You are connected!");
  for (std::string const text : {"hi", "", "für Ελίζα 🎹"}) {
    user.send_text(text);
    BOOST_TEST(user.receive_text() == "You said: " + text);
  }
}

BOOST_AUTO_TEST_CASE(echo_ignores_binary) {
  running_server server;
  auto user = client::echo(server.port());
  user.receive_text();
  user.send_frame(0x2, "bytes");
  user.send_text("text");
  BOOST_TEST(user.receive_text() == "You said: text");
}

BOOST_AUTO_TEST_CASE(users_are_counted_and_numbers_never_reused) {
  running_server server;
  member first(server.port(), "/chat");
  BOOST_TEST(number(first.welcome(), "users") == 1U);
  {
    auto second = client::chat(server.port());
    BOOST_TEST(second.receive_text() == "You are connected! There are 2 users here.");
    second.send_close(1000);
    BOOST_TEST(second.receive_close().code == 1000);
    BOOST_TEST(second.at_end());
  }
  // The connection ends before the room has heard of it.
  first.receive("left");
  auto third = client::chat(server.port());
  BOOST_TEST(third.receive_text() == "You are connected! There are 2 users here.");
  third.send_text("hi");
  auto const heard = first.receive("message");
  BOOST_TEST(text(heard, "from") == "user2");
  BOOST_TEST(text(heard, "text") == "hi");
  BOOST_TEST(third.receive_text() == "[user2]: hi");
}

BOOST_AUTO_TEST_CASE(echo_takes_no_number) {
  running_server server;
  auto echo = client::echo(server.port());
  echo.receive_text();
  auto user = client::chat(server.port());
  BOOST_TEST(user.receive_text() == "You are connected! There are 1 users here.");
  user.send_text("hi");
  BOOST_TEST(user.receive_text() == "[user0]: hi");
}

BOOST_AUTO_TEST_CASE(joins_and_leaves_are_silent) {
  running_server server;
  auto first = client::chat(server.port());
  first.receive_text();
  auto second = client::chat(server.port());
  second.receive_text();
  second.send_close(1000);
  second.receive_close();
  first.send_text("still here");
  BOOST_TEST(first.receive_text() == "[user0]: still here");
}

BOOST_AUTO_TEST_CASE(texts_of_every_kind_arrive_whole) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  auto const long_text = std::string(64 * 1024, 'x');
  for (auto const& text : {std::string(), std::string("für Ελίζα 🎹"), std::string("a\nb\0c", 5), long_text}) {
    user.send_text(text);
    BOOST_TEST(user.receive_text() == "[user0]: " + text);
  }
}

/// Lengths around those of the buffers that a message is read into, with characters across their ends.
BOOST_AUTO_TEST_CASE(texts_of_every_length_arrive_whole) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  for (std::size_t const from : {0U, 120U, 250U, 1500U, 4090U}) {
    for (auto size = from; size != from + 40; ++size) {
      std::string text(size % 2, 'x');
      while (text.size() < size) text += "ü";
      user.send_text(text);
      BOOST_TEST(user.receive_text() == "[user0]: " + text);
    }
  }
}

BOOST_AUTO_TEST_CASE(binary_is_ignored) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  user.send_frame(0x2, "\xff\xfe");
  user.send_frame(0x2, std::string(5000, '\xff'));
  user.send_text("text");
  BOOST_TEST(user.receive_text() == "[user0]: text");
}

BOOST_AUTO_TEST_CASE(fragments_are_joined) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  user.send_frame(0x1, "one \xe2\x82", {.final = false});
  user.send_frame(0x9, "between");
  user.send_frame(0x0, "\xac two", {.final = false});
  user.send_frame(0x0, "");
  auto const pong = user.receive_frame();
  BOOST_REQUIRE(pong);
  BOOST_TEST(pong->opcode == 0xA);
  BOOST_TEST(pong->payload == "between");
  BOOST_TEST(user.receive_text() == "[user0]: one \xe2\x82\xac two");
}

BOOST_AUTO_TEST_CASE(fragments_of_every_length_are_joined) {
  running_server server;
  auto user = client::chat(server.port());
  user.receive_text();
  for (std::size_t size = 120; size != 136; ++size) {
    auto const part = std::string(size, 'x');
    user.send_frame(0x1, part, {.final = false});
    user.send_frame(0x0, part, {.final = false});
    user.send_frame(0x0, "");
    BOOST_TEST(user.receive_text() == "[user0]: " + part + part);
  }
}

BOOST_AUTO_TEST_CASE(many_users_see_one_order) {
  constexpr int users = 20;
  constexpr int messages = 50;
  running_server server;
  std::vector<client> everyone;
  for (int i = 0; i != users; ++i) {
    everyone.push_back(client::chat(server.port()));
    everyone.back().receive_text();
  }
  for (int m = 0; m != messages; ++m)
    for (auto& user : everyone) user.send_text(std::to_string(m));

  std::vector<std::string> seen;
  for (int i = 0; i != users * messages; ++i) seen.push_back(everyone.front().receive_text());
  for (auto user = everyone.begin() + 1; user != everyone.end(); ++user)
    for (auto const& line : seen) BOOST_REQUIRE_EQUAL(user->receive_text(), line);

  // Of each user, everything came, in the order that it was sent in.
  for (int i = 0; i != users; ++i) {
    auto const prefix = "[user" + std::to_string(i) + "]: ";
    int next = 0;
    for (auto const& line : seen)
      if (line.starts_with(prefix)) BOOST_TEST(line == prefix + std::to_string(next++));
    BOOST_TEST(next == messages);
  }
}

BOOST_AUTO_TEST_CASE(greeting_comes_first_under_load) {
  running_server server;
  std::atomic<bool> enough = false;
  std::thread load([&] {
    auto talker = client::chat(server.port());
    talker.receive_text();
    while (!enough) {
      for (int i = 0; i != 50; ++i) talker.send_text("load");
      for (int i = 0; i != 50; ++i) talker.receive_text();
    }
  });
  for (int i = 0; i != 200; ++i) {
    auto newcomer = client::chat(server.port());
    BOOST_TEST(newcomer.receive_text().starts_with("You are connected! There are "));
  }
  enough = true;
  load.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
