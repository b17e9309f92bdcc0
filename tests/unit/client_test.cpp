// The pure parts of chorus-client.

#include <boost/asio/error.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "client/backoff.hpp"
#include "client/client_options.hpp"
#include "client/display.hpp"
#include "client/exit_code.hpp"
#include "client/own_messages.hpp"
#include "protocol/url.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;

client_options parse(std::vector<char const*> arguments) { return parse_client_options(arguments); }

}  // namespace

BOOST_AUTO_TEST_SUITE(urls)

BOOST_AUTO_TEST_CASE(parts) {
  auto const url = parse_url("ws://chat.example:8080/chat?name=x");
  BOOST_TEST(url.host == "chat.example");
  BOOST_TEST(url.port == "8080");
  BOOST_TEST(url.path == "/chat?name=x");
  BOOST_TEST(url.authority() == "chat.example:8080");
}

BOOST_AUTO_TEST_CASE(defaults) {
  auto const url = parse_url("ws://localhost");
  BOOST_TEST(url.port == "80");
  BOOST_TEST(url.path == "/");
  BOOST_TEST(url.authority() == "localhost");
  BOOST_TEST(parse_url("ws://localhost?q").path == "/?q");
}

BOOST_AUTO_TEST_CASE(ipv6) {
  auto const url = parse_url("ws://[::1]:8080/chat");
  BOOST_TEST(url.host == "::1");
  BOOST_TEST(url.port == "8080");
  BOOST_TEST(url.authority() == "[::1]:8080");
  BOOST_TEST(parse_url("ws://[::1]").port == "80");
}

BOOST_AUTO_TEST_CASE(bad_ones_are_refused) {
  for (auto const* bad : {"", "http://x", "wss://x", "ws://", "ws:///chat", "ws://x:", "ws://x:0", "ws://x:65536",
                          "ws://x:80a", "ws://u@x", "ws://x/#f", "ws://x y", "ws://[::1", "localhost:8080"})
    BOOST_CHECK_THROW(parse_url(bad), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(display)

BOOST_AUTO_TEST_CASE(text_is_shown_as_it_is) {
  for (std::string const text : {"", "plain text", "für Ελίζα 🎹", "tab\tstays"}) BOOST_TEST(displayable(text) == text);
}

BOOST_AUTO_TEST_CASE(controls_become_symbols) {
  BOOST_TEST(displayable("\x1b[2J") == "␛[2J");
  BOOST_TEST(displayable("one\ntwo\r") == "one␊two␍");
  BOOST_TEST(displayable(std::string(1, '\0')) == "␀");
  BOOST_TEST(displayable("\x7f\x07") == "␡␇");
}

BOOST_AUTO_TEST_CASE(c1_controls_and_reordering_are_replaced) {
  // CSI, right-to-left override, line separator, isolate, byte order mark
  for (auto const* text : {"\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8", "\xe2\x81\xa6", "\xef\xbb\xbf"})
    BOOST_TEST(displayable(text) == "\ufffd");
}

BOOST_AUTO_TEST_CASE(what_is_not_utf8_is_replaced_byte_by_byte) {
  BOOST_TEST(displayable("a\xffz") == "a\ufffdz");
  BOOST_TEST(displayable("\xe2\x82") == "\ufffd\ufffd");            // truncated
  BOOST_TEST(displayable("\xc0\x9b") == "\ufffd\ufffd");            // overlong escape
  BOOST_TEST(displayable("\xed\xa0\x80") == "\ufffd\ufffd\ufffd");  // surrogate
  BOOST_TEST(displayable("\xf4\x90\x80\x80") == "\ufffd\ufffd\ufffd\ufffd");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(own)

BOOST_AUTO_TEST_CASE(labelled_messages_tell_the_name) {
  own_messages own;
  own.sent("hi");
  BOOST_TEST(!own.came_back("You are connected! There are 1 users here."));
  BOOST_TEST(!own.came_back("[user1]: hi there"));
  BOOST_TEST(own.name().empty());
  BOOST_TEST(own.came_back("[user0]: hi"));
  BOOST_TEST(own.name() == "user0");
  BOOST_TEST(own.all_came_back());
  BOOST_TEST(!own.came_back("[user0]: hi"));
}

BOOST_AUTO_TEST_CASE(messages_come_back_in_order) {
  own_messages own;
  own.sent("1");
  own.sent("");
  BOOST_TEST(!own.came_back("[user0]: "));
  BOOST_TEST(own.came_back("[user0]: 1"));
  BOOST_TEST(own.came_back("[user0]: "));
  BOOST_TEST(own.all_came_back());
}

BOOST_AUTO_TEST_CASE(echoes_count) {
  own_messages own;
  own.sent("a");
  own.sent("b");
  BOOST_TEST(own.came_back("You said: a"));
  BOOST_TEST(own.came_back("b"));
  BOOST_TEST(own.name().empty());
}

BOOST_AUTO_TEST_CASE(texts_may_look_like_labels) {
  own_messages own;
  own.sent("[x]: y");
  BOOST_TEST(own.came_back("[user0]: [x]: y"));
  BOOST_TEST(own.name() == "user0");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(backoff_grows_from_half_a_second_to_half_a_minute) {
  std::minstd_rand random;
  backoff delays;
  std::chrono::milliseconds ceiling = 500ms;
  for (int i = 0; i != 20; ++i) {
    BOOST_TEST((delays.next(random) <= ceiling));
    ceiling = std::min<std::chrono::milliseconds>(2 * ceiling, 30s);
  }
  // In a thousand delays under the last ceiling, some are long and some are short.
  auto longest = 0ms;
  auto shortest = 30'000ms;
  for (int i = 0; i != 1000; ++i) {
    auto const delay = delays.next(random);
    longest = std::max(longest, delay);
    shortest = std::min(shortest, delay);
  }
  BOOST_TEST((longest > 25s && longest <= 30s));
  BOOST_TEST((shortest < 5s));
  delays.reset();
  BOOST_TEST((delays.next(random) <= 500ms));
}

BOOST_AUTO_TEST_SUITE(endings)

BOOST_AUTO_TEST_CASE(tell_who_ended_it_and_why) {
  auto const closed = ending_of(incoming{incoming::kind::closed,
                                         "by\x1b"
                                         "e",
                                         1012,
                                         {}});
  BOOST_TEST((closed.code == exit_code::closed_by_server));
  BOOST_TEST(closed.why == "the server closed the connection: 1012 by␛e");

  auto const lost = ending_of(incoming{incoming::kind::failed, "End of file", 0, net::error::eof});
  BOOST_TEST((lost.code == exit_code::closed_by_server));

  error_code const bad = boost::beast::websocket::error::bad_opcode;
  BOOST_TEST((ending_of(incoming{incoming::kind::failed, "bad", 0, bad}).code == exit_code::protocol_error));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(client_arguments)

BOOST_AUTO_TEST_CASE(defaults_are_the_tutorials) {
  auto const defaults = parse({});
  BOOST_TEST(defaults.url.host == "127.0.0.1");
  BOOST_TEST(defaults.url.port == "8080");
  BOOST_TEST(defaults.url.path == "/chat");
  BOOST_TEST((defaults.linger == 2s));
}

BOOST_AUTO_TEST_CASE(everything_is_taken) {
  auto const talk = parse({"--reconnect", "--linger=1m", "--header", "Origin: http://x", "--header=A:b",
                           "--subprotocol", "p", "ws://h:1/p"});
  BOOST_TEST(talk.reconnect);
  BOOST_TEST((talk.linger == 1min));
  BOOST_TEST(talk.request.headers.size() == 2U);
  BOOST_TEST(talk.request.headers[0].second == "http://x");
  BOOST_TEST(talk.request.headers[1].second == "b");
  BOOST_TEST(talk.request.subprotocol == "p");
  BOOST_TEST(talk.url.host == "h");
  auto const play = parse({"--script=f", "--tap", "--transcript=t"});
  BOOST_TEST(play.script == "f");
  BOOST_TEST(play.tap);
  BOOST_TEST(play.transcript == "t");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named) {
  for (auto const& bad : std::vector<std::vector<char const*>>{{"--nope"},
                                                               {"http://x"},
                                                               {"a", "b"},
                                                               {"--linger", "soon"},
                                                               {"--header", "no colon"},
                                                               {"--tap"},
                                                               {"--script=f", "--subprotocol=p"},
                                                               {"--header", ": x"}})
    BOOST_CHECK_THROW(parse(bad), cli::usage_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
