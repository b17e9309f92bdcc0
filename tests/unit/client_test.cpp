// The pure parts of chorus-client.

#include <boost/asio/error.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "client/backoff.hpp"
#include "client/client_options.hpp"
#include "client/conversation/conversation.hpp"
#include "client/conversation/event_stream.hpp"
#include "client/conversation/own_commands.hpp"
#include "client/conversation/server_event.hpp"
#include "client/display.hpp"
#include "client/exit_code.hpp"
#include "client/own_messages.hpp"
#include "client/query.hpp"
#include "protocol/json_dialect.hpp"
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

BOOST_AUTO_TEST_CASE(with_tls_the_port_is_another) {
  auto const url = parse_url("wss://chat.example/chat");
  BOOST_TEST(url.secure);
  BOOST_TEST(url.port == "443");
  BOOST_TEST(url.text() == "wss://chat.example/chat");
  BOOST_TEST(parse_url("wss://chat.example:80").text() == "wss://chat.example:80/");
  BOOST_TEST(parse_url("ws://chat.example:443").text() == "ws://chat.example:443/");
}

BOOST_AUTO_TEST_CASE(bad_ones_are_refused) {
  for (auto const* bad : {"", "http://x", "wss://", "ws://", "ws:///chat", "ws://x:", "ws://x:0", "ws://x:65536",
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

BOOST_AUTO_TEST_CASE(json_keeps_its_value) {
  BOOST_TEST(displayable_json("{\"a\":\n\"\xc2\x9b 🎹\x7f\"}") == "{\"a\": \"\\u009b 🎹\\u007f\"}");
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

BOOST_AUTO_TEST_CASE(parameters_replace_those_of_the_same_name) {
  BOOST_TEST(with_parameter("/chat", "name", "bob") == "/chat?name=bob");
  BOOST_TEST(with_parameter("/chat?name=al&history=2&name=x", "name", "bob") == "/chat?history=2&name=bob");
  BOOST_TEST(with_parameter("/chat?nickname=al&name", "name", "b c&d=é+%") ==
             "/chat?nickname=al&name=b%20c%26d%3D%C3%A9%2B%25");
  BOOST_TEST(with_parameter("/chat?", "since", "17:4") == "/chat?since=17:4");
}

BOOST_AUTO_TEST_SUITE(server_events)

BOOST_AUTO_TEST_CASE(are_read_by_their_type) {
  auto const welcome = v1::parse_server_event(
      R"({"type":"welcome","room":"lobby","name":"bob","users":3,"epoch":1764097282000,"seq":9,"recovered":true})");
  BOOST_REQUIRE(welcome);
  BOOST_TEST(std::get<v1::welcome>(*welcome).epoch == 1764097282000U);
  BOOST_TEST(std::get<v1::welcome>(*welcome).recovered);
  auto const users = v1::parse_server_event(R"({"type":"users","users":2,"names":["al","bob"]})");
  BOOST_TEST(std::get<v1::presence>(*users).names->back() == "bob");
  BOOST_TEST(!std::get<v1::presence>(*v1::parse_server_event(R"({"type":"users","users":2})")).names);
}

BOOST_AUTO_TEST_CASE(what_is_none_is_passed_over) {
  for (auto const* other : {"", "x", "[]", "{}", R"({"type":1})", R"({"type":"later"})", R"({"type":"gap","from":1})",
                            R"({"type":"gap","from":1,"to":"2"})", R"({"type":"gap","from":-1,"to":2})",
                            R"({"type":"message","seq":1,"from":"a","text":"b","id":7})"})
    BOOST_TEST(!v1::parse_server_event(other), other);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(commands_are_answered) {
  own_commands own;
  own.sent(R"({"type":"say","text":"hi"})");
  own.sent(R"({"type":"say","text":"hi","id":"a"})");
  own.sent(R"({"type":"users"})");
  own.came_back(R"({"type":"users","users":1,"names":["al"]})");
  own.came_back(R"({"type":"message","text":"hi","id":"a"})");
  own.came_back(R"({"type":"message","text":"ho"})");
  BOOST_TEST(!own.all_came_back());
  own.came_back(R"({"type":"message","text":"hi"})");
  BOOST_TEST(own.all_came_back());
  own.sent(R"({"type":"say","text":"late"})");
  own.sent("no JSON");
  own.sent(R"({"type":"say","id":"b"})");
  own.came_back(R"({"type":"error","code":"bad_request","detail":"","id":"b"})");
  BOOST_TEST(!own.all_came_back());
  own.came_back(R"({"type":"error","code":"bad_request","detail":""})");
  BOOST_TEST(!own.all_came_back());
  own.came_back(R"({"type":"message","text":"late"})");
  BOOST_TEST(own.all_came_back());
}

BOOST_AUTO_TEST_SUITE(streams)

namespace {

v1::message said(std::uint64_t seq, std::string text = {}) { return {seq, "al", std::move(text), {}}; }

/// Everything that is ready: messages by their `seq`, what is lost as a range.
std::string ready(event_stream& stream) {
  std::string all;
  while (auto const next = stream.pop()) {
    if (auto const* message = std::get_if<v1::message>(&*next)) all += std::to_string(message->seq) + " ";
    if (auto const* lost = std::get_if<v1::gap>(&*next))
      all += "lost " + std::to_string(lost->from) + "-" + std::to_string(lost->to) + " ";
    if (std::holds_alternative<v1::presence>(*next)) all += "users ";
  }
  return all;
}

std::string request(event_stream& stream) {
  auto const asked = stream.take_request();
  return asked ? std::to_string(asked->from) + "-" + std::to_string(asked->to) : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(events_come_once) {
  event_stream stream;
  BOOST_TEST(stream.cursor().empty());
  stream.begin(17, 4);
  BOOST_TEST(stream.cursor() == "17:4");
  for (auto const seq : {4U, 5U, 7U, 5U, 7U}) stream.push(said(seq));
  BOOST_TEST(ready(stream) == "5 7 ");
  BOOST_TEST(stream.cursor() == "17:7");
}

BOOST_AUTO_TEST_CASE(a_gap_is_filled_in_its_place) {
  event_stream stream;
  stream.begin(17, 4);
  stream.push(v1::gap{5, 9});
  BOOST_TEST(request(stream) == "5-9");
  BOOST_TEST(request(stream) == "");
  stream.push(said(10));
  stream.push(v1::presence{2});
  stream.push(said(5));
  stream.push(said(6));
  BOOST_TEST(ready(stream) == "5 6 ");
  stream.push(v1::replayed{5, 7});
  BOOST_TEST(request(stream) == "8-9");
  stream.push(said(9));
  BOOST_TEST(stream.cursor() == "17:9");
  stream.push(v1::replayed{8, 9});
  BOOST_TEST(ready(stream) == "9 10 users ");
  BOOST_TEST(stream.cursor() == "17:10");
}

BOOST_AUTO_TEST_CASE(what_the_log_has_lost_is_told) {
  event_stream stream;
  stream.begin(17, 4);
  stream.push(v1::gap{5, 9});
  stream.push(v1::gap{5, 7});
  stream.push(said(8));
  stream.push(v1::replayed{5, 9});
  BOOST_TEST(ready(stream) == "lost 5-7 8 ");
}

BOOST_AUTO_TEST_CASE(gaps_follow_each_other) {
  event_stream stream;
  stream.begin(17, 0);
  stream.push(v1::gap{1, 2});
  BOOST_TEST(request(stream) == "1-2");
  stream.push(said(3));
  stream.push(v1::gap{4, 5});
  stream.push(said(6));
  stream.push(said(1));
  stream.push(v1::replayed{1, 2});
  BOOST_TEST(ready(stream) == "1 3 ");
  BOOST_TEST(request(stream) == "4-5");
  stream.push(said(5));
  stream.push(v1::replayed{4, 5});
  BOOST_TEST(ready(stream) == "5 6 ");
}

BOOST_AUTO_TEST_CASE(a_lost_connection_goes_on_before_the_hole) {
  event_stream stream;
  stream.begin(17, 4);
  stream.push(v1::gap{5, 9});
  stream.push(said(10));
  stream.push(said(5));
  stream.interrupt();
  BOOST_TEST(ready(stream) == "5 ");
  BOOST_TEST(stream.cursor() == "17:5");
  stream.begin(17, 5);
  stream.push(said(6));
  BOOST_TEST(ready(stream) == "6 ");
}

BOOST_AUTO_TEST_CASE(a_room_that_outruns_its_replay_is_not_held_for_ever) {
  event_stream stream;
  stream.begin(17, 0);
  stream.push(v1::gap{1, 2});
  BOOST_TEST(request(stream) == "1-2");
  for (auto seq = 3U; seq != 8; ++seq) stream.push(said(seq, std::string(1 << 20, 'x')));
  BOOST_TEST(ready(stream) == "lost 1-2 3 4 5 6 7 ");
  stream.push(v1::gap{8, 9});
  BOOST_TEST(request(stream) == "8-9");
  stream.push(said(1));  // the rest of the replay that was given up
  stream.push(v1::replayed{1, 2});
  BOOST_TEST(ready(stream) == "");
  BOOST_TEST(request(stream) == "");
  stream.push(v1::replayed{8, 9});
  BOOST_TEST(stream.cursor() == "17:9");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(conversations)

namespace {

/// A conversation under test: what it shows and sends since it was last asked, a line each. The ids of its lines are
/// me-1, me-2 and so on.
class talk {
 public:
  void receive(std::string const& message) { add(tested_.received(message)); }
  void type(std::string const& line) { add(tested_.typed(line)); }
  void open(std::string_view subprotocol = json_dialect::subprotocol) { add(tested_.opened(subprotocol)); }
  void lose() { tested_.lost(); }

  /// Opens a connection and is greeted; `rest` is what stands in the welcome besides.
  void join(std::string const& name, unsigned epoch = 17, unsigned seq = 0) {
    open();
    receive(R"({"type":"welcome","room":"den","users":2,"recovered":true,"name":")" + name + R"(","epoch":)" +
            std::to_string(epoch) + R"(,"seq":)" + std::to_string(seq) + "}");
  }
  /// The answer to the `users` that follows every welcome.
  void catch_up(std::string const& names) { receive(R"({"type":"users","users":2,"names":[)" + names + "]}"); }
  void arrive_at(std::string const& name) {
    join(name);
    catch_up("\"al\",\"" + name + "\"");
    sent();
    shown();
  }
  void hear(unsigned seq, std::string const& from, std::string const& text, std::string const& id = {}) {
    receive(R"({"type":"message","at":1,"seq":)" + std::to_string(seq) + R"(,"from":")" + from + R"(","text":")" +
            text + (id.empty() ? "" : R"(","id":")" + id) + "\"}");
  }
  void leave(unsigned seq, std::string const& who) {
    receive(R"({"type":"left","at":1,"users":1,"seq":)" + std::to_string(seq) + R"(,"name":")" + who + "\"}");
  }
  void rename(unsigned seq, std::string const& who, std::string const& to) {
    receive(R"({"type":"renamed","at":1,"users":1,"seq":)" + std::to_string(seq) + R"(,"name":")" + who +
            R"(","to":")" + to + "\"}");
  }

  std::string shown() { return std::exchange(shown_, {}); }
  std::string sent() { return std::exchange(sent_, {}); }
  bool left() const { return left_; }
  std::string path() const { return tested_.resume("/chat/den"); }
  std::vector<std::string> unsent() const { return tested_.unsent(); }

 private:
  void add(reaction now) {
    for (auto const& line : now.show) {
      if (line.what == shown_line::kind::notice) shown_ += "-- ";
      if (line.what == shown_line::kind::own_message) shown_ += "me ";
      shown_ += (line.name.empty() ? "" : "[" + line.name + "]: ") + line.text + "\n";
    }
    for (auto const& text : now.send) sent_ += text + "\n";
    left_ = left_ || now.leave;
  }

  conversation tested_{"me-"};
  std::string shown_;
  std::string sent_;
  bool left_ = false;
};

std::string const ask_users = "{\"type\":\"users\"}\n";

std::string say(std::string const& text, std::string const& id) {
  return R"({"type":"say","text":")" + text + R"(","id":")" + id + "\"}\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_greeting_tells_who_one_is) {
  talk bob;
  bob.join("bob", 17, 4);
  BOOST_TEST(bob.shown() == "You are connected to den as bob, 2 users here\n");
  BOOST_TEST(bob.sent() == ask_users);
  bob.catch_up(R"("al","bob")");
  BOOST_TEST(bob.shown() == "");
  BOOST_TEST(bob.path() == "/chat/den?name=bob&since=17:4");
}

BOOST_AUTO_TEST_CASE(what_happens_is_shown) {
  talk bob;
  bob.arrive_at("bob");
  bob.hear(1, "al", "hi");
  bob.receive(R"({"type":"joined","seq":2,"name":"eve","users":3,"at":1})");
  bob.receive(R"({"type":"joined","seq":3,"name":"bob","users":3,"at":1})");
  bob.rename(4, "eve", "ann");
  bob.leave(5, "ann");
  bob.receive(R"({"type":"users","users":1001})");
  bob.hear(6, "bob", "from my other window");
  BOOST_TEST(bob.shown() ==
             "[al]: hi\n-- eve joined, 3 users here\n-- eve is ann now\n-- ann left, 1 user here\n"
             "-- 1001 users here\nme [bob]: from my other window\n");
}

BOOST_AUTO_TEST_CASE(lines_are_sent_with_ids) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.type("//two");
  bob.type("");
  BOOST_TEST(bob.sent() == say("one", "me-1") + say("/two", "me-2"));
  bob.hear(1, "bob", "one", "me-1");
  BOOST_TEST(bob.shown() == "me [bob]: one\n");
}

BOOST_AUTO_TEST_CASE(commands) {
  talk bob;
  bob.type("/users");
  BOOST_TEST(bob.shown() == "-- not connected\n");
  bob.arrive_at("bob");
  bob.type("/users");
  bob.type("/nick  al the great ");
  BOOST_TEST(bob.sent() == ask_users + "{\"type\":\"rename\",\"name\":\"al the great\"}\n");
  bob.catch_up(R"("al","bob")");
  BOOST_TEST(bob.shown() == "-- 2 users here: al, bob\n");
  bob.type("/nick");
  bob.type("/who");
  BOOST_TEST(bob.shown() ==
             "-- /nick needs a name, as in: /nick bob\n"
             "-- there is no /who: /help tells what there is, and //who says '/who'\n");
  bob.type("/help");
  BOOST_TEST(bob.shown().find("-- /quit") != std::string::npos);
  BOOST_TEST(!bob.left());
  bob.type("/quit");
  BOOST_TEST(bob.left());
  for (auto const* exit : {"exit", "EXIT"}) {
    talk al;
    al.type(exit);
    BOOST_TEST(al.left());
  }
}

BOOST_AUTO_TEST_CASE(refusals_are_told) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.receive(R"({"type":"error","code":"unavailable","detail":"try again","id":"me-1"})");
  bob.receive(R"({"type":"error","code":"bad_request","detail":"no such name"})");
  BOOST_TEST(bob.shown() == "-- try again; not sent: one\n-- no such name\n");
  bob.lose();
  bob.join("bob");
  BOOST_TEST(bob.sent() == say("one", "me-1") + ask_users);
}

BOOST_AUTO_TEST_CASE(a_gap_is_asked_for) {
  talk bob;
  bob.arrive_at("bob");
  bob.receive(R"({"type":"gap","from":1,"to":3})");
  BOOST_TEST(bob.sent() == "{\"type\":\"replay\",\"from\":1,\"to\":3,\"id\":\"replay\"}\n");
  bob.hear(4, "al", "four");
  bob.hear(2, "al", "two");
  bob.receive(R"({"type":"replayed","from":1,"to":3})");
  BOOST_TEST(bob.shown() == "-- 3 events skipped; asking for them\n[al]: two\n[al]: four\n");
  bob.receive(R"({"type":"gap","from":5,"to":5})");
  bob.receive(R"({"type":"error","code":"bad_request","detail":"no","id":"replay"})");
  BOOST_TEST(bob.shown() == "-- 1 event skipped; asking for them\n-- no\n-- 1 event lost\n");
}

BOOST_AUTO_TEST_CASE(what_did_not_arrive_is_sent_again_once) {
  talk bob;
  bob.arrive_at("bob");
  for (auto const* line : {"one", "two", "three"}) bob.type(line);
  bob.hear(1, "bob", "one", "me-1");
  bob.lose();
  bob.type("four");
  BOOST_TEST(bob.path() == "/chat/den?name=bob&since=17:1");
  bob.shown();
  bob.sent();
  bob.join("bob", 17, 1);
  BOOST_TEST(bob.sent() == ask_users);
  bob.hear(2, "bob", "two", "me-2");
  bob.leave(3, "bob");
  BOOST_TEST(bob.sent() == "");
  bob.catch_up(R"("al","bob")");
  BOOST_TEST(bob.sent() == say("three", "me-3") + say("four", "me-4"));
  BOOST_TEST(bob.shown() ==
             "-- again connected to den as bob, 2 users here\nme [bob]: two\n-- bob left, 1 user here\n");
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_while_the_old_connection_may_still_say_it) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.type("two");
  bob.lose();
  bob.join("bob-2");
  bob.sent();
  bob.catch_up(R"("al","bob","bob-2")");
  bob.shown();
  bob.type("three");
  BOOST_TEST(bob.sent() == "");
  bob.hear(1, "bob", "one", "me-1");
  bob.leave(2, "al");
  BOOST_TEST(bob.sent() == "");
  bob.leave(3, "bob");
  BOOST_TEST(bob.sent() == "{\"type\":\"rename\",\"name\":\"bob\"}\n" + say("two", "me-2") + say("three", "me-3"));
  bob.rename(4, "bob-2", "bob");
  BOOST_TEST(bob.path() == "/chat/den?name=bob&since=17:4");
}

BOOST_AUTO_TEST_CASE(a_second_loss_still_waits_for_the_first_connection) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.lose();
  bob.join("bob-2");
  bob.catch_up(R"("bob","bob-2")");
  bob.lose();
  BOOST_TEST(bob.path() == "/chat/den?name=bob&since=17:0");
  bob.join("bob-3");
  bob.sent();
  bob.leave(1, "bob-2");
  bob.catch_up(R"("bob","bob-3")");
  BOOST_TEST(bob.sent() == "");
  bob.rename(2, "bob", "robert");  // it was the last thing that was asked for there
  BOOST_TEST(bob.sent() == "{\"type\":\"rename\",\"name\":\"bob\"}\n");
  bob.leave(3, "robert");
  BOOST_TEST(bob.sent() == say("one", "me-1"));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_free_again_by_the_time_one_has_caught_up_is_taken_back) {
  talk bob;
  bob.arrive_at("bob");
  bob.lose();
  bob.join("bob-2");
  bob.type("one");
  BOOST_TEST(bob.sent() == ask_users + say("one", "me-1"));
  bob.leave(1, "bob");
  BOOST_TEST(bob.sent() == "");
  bob.catch_up(R"("bob-2")");
  BOOST_TEST(bob.sent() == "{\"type\":\"rename\",\"name\":\"bob\"}\n");
  bob.rename(2, "bob-2", "bob-4");  // somebody was faster
  BOOST_TEST(bob.path() == "/chat/den?name=bob&since=17:2");
  bob.type("/nick al");
  bob.rename(3, "bob-4", "al");
  BOOST_TEST(bob.path() == "/chat/den?name=al&since=17:3");
}

BOOST_AUTO_TEST_CASE(given_names_are_not_asked_for) {
  talk nameless;
  nameless.arrive_at("user7");
  nameless.lose();
  BOOST_TEST(nameless.path() == "/chat/den?since=17:0");
  nameless.join("user9");
  nameless.catch_up(R"("user9")");
  BOOST_TEST(nameless.sent() == ask_users);
}

BOOST_AUTO_TEST_CASE(what_may_be_among_the_lost_is_not_sent_again) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.lose();
  bob.type("two");
  bob.join("bob");
  bob.sent();
  bob.shown();
  bob.receive(R"({"type":"gap","from":1,"to":9})");
  BOOST_TEST(bob.sent() == "{\"type\":\"replay\",\"from\":1,\"to\":9,\"id\":\"replay\"}\n");
  bob.catch_up(R"("bob")");
  BOOST_TEST(bob.sent() == "");
  bob.receive(R"({"type":"gap","from":1,"to":8})");
  bob.receive(R"({"type":"replayed","from":1,"to":9})");
  BOOST_TEST(bob.shown() ==
             "-- 9 events skipped; asking for them\n-- 8 events lost\n-- maybe lost, and not sent again: one\n");
  BOOST_TEST(bob.sent() == say("two", "me-2"));
}

BOOST_AUTO_TEST_CASE(a_room_that_has_begun_anew_hears_it_again) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.lose();
  bob.shown();
  bob.sent();
  bob.join("bob", 18);
  BOOST_TEST(
      bob.shown() ==
      "-- again connected to den as bob, 2 users here; the room has begun anew: what it said meanwhile is lost\n");
  BOOST_TEST(bob.sent() == ask_users + say("one", "me-1"));
}

BOOST_AUTO_TEST_CASE(a_big_room_does_not_tell_whether_the_old_connection_has_left) {
  talk bob;
  bob.arrive_at("bob");
  bob.type("one");
  bob.lose();
  bob.join("bob-2");
  bob.sent();
  bob.shown();
  bob.receive(R"({"type":"users","users":5000})");
  BOOST_TEST(bob.shown() == "-- 1 line without an echo: sent again, maybe to be heard twice\n");
  BOOST_TEST(bob.sent() == say("one", "me-1"));
}

BOOST_AUTO_TEST_CASE(whoever_tells_that_the_old_connection_has_left_or_that_nobody_will_ends_the_wait) {
  for (auto const* told : {R"({"type":"users","users":1,"names":["bob-2"]})", R"({"type":"users","users":1001})"}) {
    talk bob;
    bob.arrive_at("bob");
    bob.type("one");
    bob.lose();
    bob.join("bob-2");
    bob.catch_up(R"("bob","bob-2")");
    bob.sent();
    bob.receive(told);
    BOOST_TEST(bob.sent().ends_with(say("one", "me-1")), told);
  }
}

BOOST_AUTO_TEST_CASE(a_server_without_the_subprotocol_hears_text) {
  talk bob;
  bob.type("early");
  BOOST_TEST(bob.shown() == "-- not connected; to be sent later: early\n");
  bob.open("");
  bob.type("//hi");
  BOOST_TEST(bob.sent() == "early\n/hi\n");
  bob.receive("You are connected! There are 1 users here.");
  bob.receive("[user0]: early");
  bob.receive("[user1]: hi");
  bob.type("/nick al");
  BOOST_TEST(
      bob.shown() ==
      "You are connected! There are 1 users here.\nme [user0]: early\n[user1]: hi\n-- this server knows no /nick\n");
  bob.lose();
  BOOST_TEST(bob.path() == "/chat/den");
  bob.type("late");
  BOOST_TEST(bob.unsent() == std::vector<std::string>{"late"}, boost::test_tools::per_element());
  bob.open("");
  BOOST_TEST(bob.sent() == "late\n");
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
  auto const closed = exit_reason_of(incoming{incoming::kind::closed,
                                              "by\x1b"
                                              "e",
                                              1012,
                                              {}});
  BOOST_TEST((closed.code == exit_code::closed_by_server));
  BOOST_TEST(closed.why == "the server closed the connection: 1012 by␛e");

  auto const lost = exit_reason_of(incoming{incoming::kind::failed, "End of file", 0, net::error::eof});
  BOOST_TEST((lost.code == exit_code::closed_by_server));

  error_code const bad = boost::beast::websocket::error::bad_opcode;
  BOOST_TEST((exit_reason_of(incoming{incoming::kind::failed, "bad", 0, bad}).code == exit_code::protocol_error));
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
  auto const pass = parse({"--json", "--name=Grün", "ws://h/chat?name=x&history=3"});
  BOOST_TEST(pass.json);
  BOOST_TEST(pass.url.path == "/chat?history=3&name=Gr%C3%BCn");
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
                                                               {"--script=f", "--name=n"},
                                                               {"--script=f", "--json"},
                                                               {"--json", "--subprotocol=p"},
                                                               {"--header", ": x"}})
    BOOST_CHECK_THROW(parse(bad), cli::usage_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
