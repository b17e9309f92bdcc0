// What a newcomer is told of the past.

#include <boost/test/unit_test.hpp>
#include <string>

#include "running_room.hpp"

namespace chorus::test {

namespace {

join_request since(std::uint64_t seq, std::uint64_t epoch = running_room::epoch) {
  join_request wishes;
  wishes.since = cursor{epoch, seq};
  return wishes;
}

std::string message_line(std::uint64_t seq, std::string const& name, std::string const& said) {
  return std::to_string(seq) + " " + name + ": " + said + "\n";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(newcomers, running_room)

BOOST_AUTO_TEST_CASE(a_newcomer_gets_the_last_messages_and_what_lies_between_them) {
  user a(*this);
  for (auto const* const said : {"x", "y", "z"}) {
    poll(io);
    a.say(said);
  }
  poll(io);
  a.in->rename("al");
  poll(io);
  user b(*this, with_history(2));
  user c(*this, with_history(2), text);
  user d(*this, with_history(100));
  user e(*this, with_history(0));
  poll(io);
  auto const own = std::string("6 joined user1 2\n7 joined user2 3\n8 joined user3 4\n9 joined user4 5\n");
  auto const last = std::string("3 user0: y\n4 user0: z\n5 renamed user0 1 al\n");
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:2\n" + last + own);
  BOOST_TEST(c.peer.written == "hello 3\nuser0: y\nuser0: z\n");
  BOOST_TEST(d.peer.written == "welcome lobby user3 4 1000:1\n2 user0: x\n" + last + own);
  BOOST_TEST(e.peer.written == "welcome lobby user4 5 1000:5\n" + own);
}

BOOST_AUTO_TEST_CASE(a_cursor_resumes_after_its_event) {
  user a(*this);
  for (auto const* const said : {"x", "y"}) {
    poll(io);
    a.say(said);
  }
  poll(io);
  user b(*this, since(2));
  user c(*this, since(3));
  user d(*this, since(0));
  poll(io);
  auto const own = std::string("4 joined user1 2\n5 joined user2 3\n6 joined user3 4\n");
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:2 recovered\n3 user0: y\n" + own);
  BOOST_TEST(c.peer.written == "welcome lobby user2 3 1000:3 recovered\n" + own);
  BOOST_TEST(d.peer.written ==
             "welcome lobby user3 4 1000:0 recovered\n1 joined user0 1\n2 user0: x\n3 user0: y\n" + own);
}

BOOST_AUTO_TEST_CASE(a_cursor_of_another_room_or_time_is_a_fresh_join) {
  user a(*this);
  poll(io);
  a.say("x");
  poll(io);
  user other_epoch(*this, since(1, epoch + 1));
  user from_the_future(*this, since(3));
  auto with_both = since(1, epoch - 1);
  with_both.history = 1;
  user falls_back(*this, with_both);
  user speaks_text(*this, since(0), text);
  poll(io);
  BOOST_TEST(other_epoch.peer.written.starts_with("welcome lobby user1 2 1000:2\n3 joined"));
  BOOST_TEST(from_the_future.peer.written.starts_with("welcome lobby user2 3 1000:2\n3 joined"));
  BOOST_TEST(falls_back.peer.written.starts_with("welcome lobby user3 4 1000:1\n2 user0: x\n3 joined"));
  BOOST_TEST(speaks_text.peer.written == "hello 5\n");
}

BOOST_AUTO_TEST_CASE(a_cursor_wins_over_history) {
  user a(*this);
  for (auto const* const said : {"x", "y"}) {
    poll(io);
    a.say(said);
  }
  poll(io);
  auto both = since(2);
  both.history = 2;
  user b(*this, both);
  poll(io);
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:2 recovered\n3 user0: y\n4 joined user1 2\n");
}

/// The greeting, a notice and two of three batches.
BOOST_AUTO_TEST_CASE(what_does_not_fit_from_the_old_end_is_a_gap) {
  user a(*this);
  poll(io);
  for (int i = 0; i != 3; ++i) {
    a.say(std::string(100, 'x'));
    a.say("y");
    poll(io);
  }
  auto const batch = [](std::uint64_t seq) {
    return message_line(seq, "user0", std::string(100, 'x')) + message_line(seq + 1, "user0", "y");
  };
  auto const welcome = std::string("welcome lobby user1 2 1000:0 recovered\n");
  auto const two_batches = batch(4) + batch(6);
  user b(*this, since(0), json, welcome.size() + 100 + two_batches.size());
  user c(*this, with_history(6), text, 110 + 2 * 119);
  user d(*this, since(2), json, 0);
  poll(io);
  BOOST_TEST(b.peer.written ==
             welcome + "gap 1-3\n" + two_batches + "8 joined user1 2\n9 joined user2 3\n10 joined user3 4\n");
  BOOST_TEST(c.peer.written.starts_with("hello 3\nskipped 2\nuser0: xxx"));
  BOOST_TEST(
      d.peer.written ==
      "welcome lobby user3 4 1000:2 recovered\ngap 3-7\n8 joined user1 2\n9 joined user2 3\n10 joined user3 4\n");
}

BOOST_FIXTURE_TEST_CASE(what_the_room_does_not_have_any_more_is_a_gap, short_history_room) {
  user a(*this);
  poll(io);
  for (int i = 0; i != 4; ++i) {
    a.say(std::to_string(i));
    poll(io);
  }
  user lost(*this, since(1));
  user barely(*this, since(3));
  user more_than_there(*this, with_history(4));
  user neither(*this, since(1), json, 0);
  poll(io);
  auto const kept = std::string("4 user0: 2\n5 user0: 3\n");
  auto const own = std::string("6 joined user1 2\n7 joined user2 3\n8 joined user3 4\n9 joined user4 5\n");
  BOOST_TEST(lost.peer.written == "welcome lobby user1 2 1000:1\ngap 2-3\n" + kept + own);
  BOOST_TEST(barely.peer.written == "welcome lobby user2 3 1000:3 recovered\n" + kept + own);
  BOOST_TEST(more_than_there.peer.written == "welcome lobby user3 4 1000:3\n" + kept + own);
  BOOST_TEST(neither.peer.written == "welcome lobby user4 5 1000:1\ngap 2-5\n" + own);
}

BOOST_FIXTURE_TEST_CASE(a_room_that_keeps_nothing_names_all_of_it, no_history_room) {
  user a(*this);
  poll(io);
  a.say("x");
  poll(io);
  user b(*this, since(0));
  user c(*this, since(2));
  user d(*this, with_history(5));
  poll(io);
  auto const own = std::string("3 joined user1 2\n4 joined user2 3\n5 joined user3 4\n");
  BOOST_TEST(b.peer.written == "welcome lobby user1 2 1000:0\ngap 1-2\n" + own);
  BOOST_TEST(c.peer.written == "welcome lobby user2 3 1000:2 recovered\n" + own);
  BOOST_TEST(d.peer.written == "welcome lobby user3 4 1000:2\n" + own);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
