// Rooms, the order in each, and how a member finds back to its place in it.

#include <atomic>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <exception>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "member.hpp"
#include "much_to_say.hpp"
#include "running_server.hpp"

namespace chorus::test {

namespace {

/// What the server answers to a request for a WebSocket.
std::string status_of(running_server const& server, std::string_view path) {
  client asking(server.port());
  auto const head = asking.upgrade(path);
  return head.substr(9, 3);
}

/// A room in which much is said, and members that come, lag, lose their connections, come back and go. What each of
/// them has seen must be a piece of the one order.
class turmoil {
 public:
  static constexpr int talkers = 8;
  static constexpr int wanderers = 6;
  static constexpr int visits = 6;
  static constexpr int messages = 400;

  explicit turmoil(settings const& options) : server_(options) {}

  void run(unsigned seed) {
    std::vector<std::thread> threads;
    for (int i = 0; i != talkers; ++i) threads.emplace_back([this] { guarded([this] { talk(); }); });
    for (int i = 0; i != wanderers; ++i)
      threads.emplace_back(
          [this, i, seed] { guarded([this, i, seed] { wander(seed * 100 + static_cast<unsigned>(i)); }); });
    for (auto& each : threads) each.join();
    if (failure_) std::rethrow_exception(failure_);
  }

  /// Events by their `seq`, as everyone saw them.
  std::map<std::uint64_t, std::string> const& order() const { return order_; }
  int fillings() const { return filled_; }

 private:
  template <class Task>
  void guarded(Task task) {
    try {
      task();
    } catch (...) {
      std::lock_guard const lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  void talk() {
    member speaker(server_.port(), "/chat/turmoil");
    for (int m = 0; m != messages; ++m) {
      speaker.say(std::string(2000, 'x'));
      // Nobody says more than has come back, save for a few.
      if (m % 16 == 15) speaker.receive("message");
    }
    speaker.send(R"({"type":"users"})");
    speaker.receive("users");
    speaker.fill_gaps();
    compare(speaker);
  }

  void wander(unsigned seed) {
    std::mt19937 random(seed);
    std::string place;
    for (int visit = 0; visit != visits; ++visit) {
      auto const path = "/chat/turmoil?name=w" + std::to_string(seed) +
                        (place.empty() ? "&history=" + std::to_string(random() % 50) : "&since=" + place);
      member guest(server_.port(), path, random() % 2 == 0 ? 4096 : 0);
      if (!place.empty() && !guest.welcome().at("recovered").as_bool()) throw std::runtime_error("not recovered");
      auto const some = guest.last() + random() % 400;
      if (random() % 2 == 0) guest.socket().throttle(200'000);
      while (guest.last() < some && guest.last() < last_.load()) guest.receive();
      guest.socket().throttle(0);
      if (random() % 2 == 0) {
        filled_ += static_cast<int>(guest.gaps().size());
        guest.fill_gaps();
      }
      compare(guest);
      place = guest.cursor();
      if (random() % 2 == 0) guest.socket().reset();
    }
  }

  void compare(member const& seen) {
    std::lock_guard const lock(mutex_);
    for (auto const& [seq, line] : seen.events()) {
      auto const known = order_.emplace(seq, line).first;
      if (known->second != line) throw std::runtime_error("two accounts: " + known->second + " and " + line);
    }
    last_ = std::max(last_.load(), seen.last());
    check_whole(seen);
  }

  /// Everything from its first event to its last, but for the gaps.
  static void check_whole(member const& seen) {
    auto due = seen.first();
    for (auto const& [seq, line] : seen.events()) {
      for (auto gap = seen.gaps().find(due); gap != seen.gaps().end(); gap = seen.gaps().find(due))
        due = gap->second + 1;
      if (seq != due) throw std::runtime_error("event " + std::to_string(due) + " is missing");
      ++due;
    }
  }

  running_server server_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::string> order_;
  std::atomic<std::uint64_t> last_ = 200;
  std::atomic<int> filled_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rooms)

BOOST_AUTO_TEST_CASE(have_an_order_and_names_of_their_own) {
  running_server server;
  client here(server.port());
  here.upgrade("/chat/here");
  BOOST_TEST(here.receive_text() == "You are connected! There are 1 users here.");
  client there(server.port());
  there.upgrade("/chat/there");
  BOOST_TEST(there.receive_text() == "You are connected! There are 1 users here.");
  there.send_text("over there");
  here.send_text("here");
  BOOST_TEST(here.receive_text() == "[user0]: here");
  BOOST_TEST(there.receive_text() == "[user0]: over there");
}

BOOST_AUTO_TEST_CASE(the_lobby_is_where_one_is_without_a_room) {
  running_server server;
  auto somewhere = client::chat(server.port());
  somewhere.receive_text();
  member in_the_lobby(server.port(), "/chat/lobby?name=al");
  BOOST_TEST(number(in_the_lobby.welcome(), "users") == 2U);
  in_the_lobby.say("hi");
  BOOST_TEST(somewhere.receive_text() == "[al]: hi");
}

BOOST_AUTO_TEST_CASE(text_and_json_share_one_order) {
  running_server server;
  member json(server.port(), "/chat/both");
  client text_member(server.port());
  text_member.upgrade("/chat/both");
  text_member.receive_text();
  BOOST_TEST(text(json.receive("joined"), "name") == "user0");
  BOOST_TEST(text(json.receive("joined"), "name") == "user1");
  json.send(R"({"type":"say","text":"from json","id":"1"})");
  BOOST_TEST(text_member.receive_text() == "[user0]: from json");
  text_member.send_text("from text");
  auto const own = json.receive("message");
  BOOST_TEST(text(own, "id") == "1");
  BOOST_TEST(number(own, "seq") == 3U);
  auto const other = json.receive("message");
  BOOST_TEST(text(other, "from") == "user1");
  BOOST_TEST(!other.contains("id"));
  BOOST_TEST(number(other, "seq") == 4U);
}

BOOST_AUTO_TEST_CASE(outlive_their_last_member_for_a_while) {
  auto options = test_settings();
  options.rooms.history_ttl = 1s;
  running_server server(options);
  std::string place;
  {
    member first(server.port(), "/chat/den?name=al");
    first.say("remember this");
    first.receive("message");
    place = first.cursor();
    first.socket().send_close(1000);
    first.socket().receive_close();
  }
  {
    member again(server.port(), "/chat/den?name=al&since=" + place);
    BOOST_TEST(again.welcome().at("recovered").as_bool());
    BOOST_TEST(again.name() == "al");
    BOOST_TEST(text(again.receive(), "type") == "left");
  }
  // It ends some time after the last has gone, and then the cursor means nothing.
  auto const deadline = std::chrono::steady_clock::now() + patience;
  auto recovered = true;
  while (recovered && std::chrono::steady_clock::now() < deadline) {
    BOOST_TEST(server.logs("closed name=al"));
    {
      client waiting(server.port());
      waiting.readable_within(1200ms);
    }
    member late(server.port(), "/chat/den?since=" + place);
    recovered = late.welcome().at("recovered").as_bool();
  }
  BOOST_TEST(!recovered);
}

BOOST_AUTO_TEST_CASE(over_the_limit_new_ones_are_refused_while_all_are_inhabited) {
  auto options = test_settings();
  options.rooms.max_rooms = 2;
  running_server server(options);
  member one(server.port(), "/chat/one");
  {
    member two(server.port(), "/chat/two");
    client third(server.port());
    auto const head = third.upgrade("/chat/three");
    BOOST_TEST(head.starts_with("HTTP/1.1 503 "));
    BOOST_TEST(head.find("\r\nRetry-After: ") != std::string::npos);
    BOOST_TEST(status_of(server, "/chat/one") == "101");
    two.socket().send_close(1000);
    two.socket().receive_close();
  }
  BOOST_TEST(server.logs("closed name=user0 room=two"));
  // The room of the one who has left gives way, once that is known everywhere.
  auto status = status_of(server, "/chat/three");
  auto const until = std::chrono::steady_clock::now() + patience;
  while (status != "101" && std::chrono::steady_clock::now() < until) status = status_of(server, "/chat/three");
  BOOST_TEST(status == "101");
}

BOOST_AUTO_TEST_CASE(a_member_that_fails_while_it_is_greeted_is_the_only_one) {
  running_server server;
  member witness(server.port(), "/chat/den?name=al");
  server.fail_when_it_logs("joined name=bad");
  client bad(server.port());
  BOOST_TEST(bad.upgrade("/chat/den?name=bad").starts_with("HTTP/1.1 101 "));
  BOOST_TEST(bad.receive_close().code == 1011);
  BOOST_TEST(text(witness.receive("left"), "name") == "bad");
  witness.say("still here");
  BOOST_TEST(text(witness.receive("message"), "text") == "still here");
}

BOOST_AUTO_TEST_CASE(what_was_said_in_each_is_delivered_when_the_server_stops) {
  running_server server;
  std::deque<member> all;
  for (int i = 0; i != 20; ++i) all.emplace_back(server.port(), "/chat/room" + std::to_string(i / 2));
  for (auto& each : all) each.say("last words");
  for (auto& each : all) each.receive("message");
  server.stop();
  for (auto& each : all) {
    BOOST_TEST(each.socket().receive_close().code == 1012);
    each.socket().send_close(1012);
  }
  BOOST_TEST(server.ended_within(patience));
}

BOOST_AUTO_TEST_CASE(everyone_sees_a_piece_of_one_order_whoever_comes_and_goes) {
  auto options = test_settings();
  options.outbound_limit = 64 * 1024;
  options.write_timeout = 0s;
  options.rooms.history_messages = 100'000;
  options.rooms.history_bytes = 256 * 1024 * 1024;
  int filled = 0;
  for (unsigned seed = 0; seed != 2; ++seed) {
    turmoil in_a_room(options);
    in_a_room.run(seed);
    BOOST_TEST(in_a_room.order().rbegin()->first >= static_cast<std::uint64_t>(turmoil::talkers * turmoil::messages));
    // With all gaps filled the pieces are the whole.
    filled += in_a_room.fillings();
  }
  BOOST_TEST_MESSAGE(filled << " gaps were filled");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rate_limits)

BOOST_AUTO_TEST_CASE(who_says_too_much_is_read_more_slowly_and_loses_nothing) {
  auto options = test_settings();
  options.rate_limit = 50;
  options.rate_burst = 5;
  running_server server(options);
  member fast(server.port(), "/chat/limited");
  auto const begun = std::chrono::steady_clock::now();
  for (int i = 0; i != 25; ++i) fast.say(std::to_string(i));
  for (int i = 0; i != 25; ++i) BOOST_TEST(text(fast.receive("message"), "text") == std::to_string(i));
  auto const taken = std::chrono::steady_clock::now() - begun;
  BOOST_TEST((taken > 350ms));
  BOOST_TEST((taken < 5s));
}

BOOST_AUTO_TEST_CASE(a_replay_costs_a_token_for_each_event) {
  auto options = test_settings();
  options.rate_limit = 100;
  options.rate_burst = 50;
  running_server server(options);
  member greedy(server.port(), "/chat/limited");
  for (int i = 0; i != 30; ++i) greedy.say("x");
  for (int i = 0; i != 30; ++i) greedy.receive("message");
  auto const begun = std::chrono::steady_clock::now();
  // Three cost more than a full bucket has, however long it had to be filled.
  for (int i = 0; i != 3; ++i) greedy.send(R"({"type":"replay","from":2,"to":31})");
  greedy.send(R"({"type":"users"})");
  for (std::uint64_t answered = 0; answered != 3;)
    answered += greedy.socket().receive_text().find("replayed") != std::string::npos;
  greedy.socket().receive_text();
  BOOST_TEST((std::chrono::steady_clock::now() - begun > 200ms));
}

BOOST_AUTO_TEST_CASE(who_waits_for_its_turn_is_not_in_the_way_of_the_end) {
  auto options = test_settings();
  options.rate_limit = 1;
  options.rate_burst = 1;
  running_server server(options);
  member fast(server.port(), "/chat/limited");
  for (int i = 0; i != 5; ++i) fast.say("x");
  fast.receive("message");
  server.stop();
  BOOST_TEST(fast.socket().receive_close().code == 1012);
  fast.socket().send_close(1012);
  BOOST_TEST(server.ended_within(3s));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
