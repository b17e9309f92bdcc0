// How a connection lives, is counted and is found.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <ostream>
#include <random>
#include <range/v3/algorithm/count.hpp>
#include <set>
#include <vector>

#include "run.hpp"
#include "server/capacity.hpp"
#include "server/life_cycle.hpp"
#include "server/peer.hpp"
#include "support/slices.hpp"

namespace chorus {

using phase = life_cycle::phase;

std::ostream& operator<<(std::ostream& out, phase p) { return out << static_cast<int>(p); }

namespace {

farewell const first_words(ending::stopped, close_code::going_away, "first");
farewell const second_words(ending::draining, close_code::going_away, "second");

struct connection_in {
  life_cycle life;

  /// Leads it to a phase by the shortest way.
  void enter(phase wanted) {
    if (wanted != phase::opening) life.accepted();
    if (wanted == phase::closing) life.say(first_words);
    if (wanted == phase::lingering) life.wrong_frame();
    if (wanted == phase::closed) life.end();
    BOOST_REQUIRE(life.now() == wanted);
  }
};

/// The phase that follows on `event` in `from`.
template <class Event>
phase after(phase from, Event event) {
  connection_in one;
  one.enter(from);
  event(one.life);
  return one.life.now();
}

constexpr auto accepted = [](life_cycle& l) { l.accepted(); };
constexpr auto say_second = [](life_cycle& l) { l.say(second_words); };
constexpr auto wrong_frame = [](life_cycle& l) { l.wrong_frame(); };
constexpr auto end_it = [](life_cycle& l) { l.end(); };

}  // namespace

BOOST_AUTO_TEST_SUITE(life_cycles)

BOOST_AUTO_TEST_CASE(opening) {
  BOOST_TEST(life_cycle().now() == phase::opening);
  BOOST_TEST(after(phase::opening, accepted) == phase::open);
  BOOST_TEST(after(phase::opening, say_second) == phase::opening);
  BOOST_TEST(after(phase::opening, wrong_frame) == phase::opening);
  BOOST_TEST(after(phase::opening, end_it) == phase::closed);
}

BOOST_AUTO_TEST_CASE(who_was_told_before_it_is_accepted_is_closing_then) {
  life_cycle life;
  life.say(first_words);
  BOOST_TEST(life.is(phase::opening));
  life.accepted();
  BOOST_TEST(life.is(phase::closing));
  BOOST_TEST(life.reason() == &first_words);
}

BOOST_AUTO_TEST_CASE(open) {
  BOOST_TEST(after(phase::open, accepted) == phase::open);
  BOOST_TEST(after(phase::open, say_second) == phase::closing);
  BOOST_TEST(after(phase::open, wrong_frame) == phase::lingering);
  BOOST_TEST(after(phase::open, end_it) == phase::closed);
}

BOOST_AUTO_TEST_CASE(closing) {
  BOOST_TEST(after(phase::closing, accepted) == phase::closing);
  BOOST_TEST(after(phase::closing, say_second) == phase::closing);
  BOOST_TEST(after(phase::closing, wrong_frame) == phase::lingering);
  BOOST_TEST(after(phase::closing, end_it) == phase::closed);
}

BOOST_AUTO_TEST_CASE(lingering) {
  BOOST_TEST(after(phase::lingering, accepted) == phase::lingering);
  BOOST_TEST(after(phase::lingering, say_second) == phase::closed);
  BOOST_TEST(after(phase::lingering, wrong_frame) == phase::lingering);
  BOOST_TEST(after(phase::lingering, end_it) == phase::closed);
}

BOOST_AUTO_TEST_CASE(closed_is_for_ever) {
  for (auto const next : {after(phase::closed, accepted), after(phase::closed, say_second),
                          after(phase::closed, wrong_frame), after(phase::closed, end_it)})
    BOOST_TEST(next == phase::closed);
}

BOOST_AUTO_TEST_CASE(what_was_said_first_counts) {
  life_cycle life;
  life.accepted();
  BOOST_TEST(life.reason() == nullptr);
  life.say(first_words);
  life.say(second_words);
  BOOST_TEST(life.reason() == &first_words);
  life.end();
  life.say(second_words);
  BOOST_TEST(life.reason() == &first_words);
}

BOOST_AUTO_TEST_CASE(nothing_is_said_after_the_end) {
  life_cycle life;
  life.end();
  life.say(first_words);
  BOOST_TEST(life.reason() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

class counted_peer final : public peer {
 public:
  explicit counted_peer(peer_list& all) { all.push_back(*this); }

  void tick(clock::time_point) override {
    if (throws) throw std::bad_alloc();
  }
  void failed(std::exception_ptr) noexcept override { ended = true; }

  bool throws = false;
  bool ended = false;
};

struct five_peers {
  net::io_context io;
  peer_list all;
  std::vector<std::unique_ptr<counted_peer>> peers;

  five_peers() {
    for (int i = 0; i != 5; ++i) add();
  }
  void add() { peers.push_back(std::make_unique<counted_peer>(all)); }

  /// Visits all, one at a time, and notes whom.
  awaitable<void> visit_all(std::vector<peer*>& seen) {
    auto const note = [&seen](peer& p) { seen.push_back(&p); };
    auto const pause = [this] { return let_others_run(io.get_executor()); };
    co_await visit(all, 1, note, pause);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(visits, five_peers)

BOOST_AUTO_TEST_CASE(are_to_everyone_in_order_and_leave_no_trace) {
  std::vector<peer*> seen;
  test::start(io, visit_all(seen));
  BOOST_REQUIRE(seen.size() == 5U);
  for (std::size_t i = 0; i != 5; ++i) BOOST_TEST(seen[i] == peers[i].get());
  BOOST_TEST(all.size() == 5U);
}

BOOST_AUTO_TEST_CASE(do_not_hide_who_comes_first) {
  int pauses = 0;
  auto const leave = [this](peer&) { peers.erase(peers.begin()); };
  auto const look = [&] {
    ++pauses;
    BOOST_TEST(first_of(all) == peers.front().get());
    return let_others_run(io.get_executor());
  };
  test::start(io, visit(all, 2, leave, look));
  BOOST_TEST(pauses == 2);
  BOOST_TEST(first_of(all) == nullptr);
}

BOOST_AUTO_TEST_CASE(to_nobody_end) {
  peers.clear();
  std::vector<peer*> seen;
  test::start(io, visit_all(seen));
  BOOST_TEST(seen.empty());
}

/// Seeded schedules of two visits, newcomers and leavers: who is there from beginning to end is visited once by each.
BOOST_AUTO_TEST_CASE(are_once_to_who_stays_whoever_comes_and_goes) {
  for (unsigned seed = 0; seed != 500; ++seed) {
    std::mt19937 random(seed);
    five_peers at;
    auto const stays = std::set<peer*>{at.peers[0].get(), at.peers[2].get(), at.peers[4].get()};
    std::vector<peer*> seen[2];
    for (auto& one : seen) net::co_spawn(at.io, at.visit_all(one), net::detached);
    for (int steps = 0; !at.io.stopped(); ++steps) {
      auto const step = random() % 4;
      if (step < 2) {
        at.io.poll_one();
      } else if (step == 2 && steps < 50) {
        at.add();
      } else if (auto const i = random() % at.peers.size(); !stays.contains(at.peers[i].get())) {
        at.peers.erase(at.peers.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    for (auto* const p : stays)
      for (auto const& visited : seen) BOOST_REQUIRE_EQUAL(ranges::count(visited, p), 1);
  }
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_in_one_ends_that_peer_alone) {
  peers[1]->throws = true;
  std::size_t ticked = 0;
  auto const tick = [&ticked](peer& p) {
    ++ticked;
    p.tick({});
  };
  auto const pause = [this] { return let_others_run(io.get_executor()); };
  test::start(io, visit(all, 100, tick, pause));
  BOOST_TEST(ticked == 5U);
  for (auto const& p : peers) BOOST_TEST(p->ended == p->throws);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

auto const here = boost::asio::ip::make_address("127.0.0.1");
auto const there = boost::asio::ip::make_address("::1");

struct seats_of_few {
  settings options;
  capacity seats{options};
  std::vector<capacity::seat> taken;

  void take(boost::asio::ip::address const& from, std::size_t count = 1) {
    while (count-- != 0) taken.emplace_back(seats, from);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(capacities, seats_of_few)

BOOST_AUTO_TEST_CASE(limits_sessions) {
  options.max_connections = 1;
  take(there);
  BOOST_TEST(seats.admits(here));
  BOOST_TEST(seats.sessions() == 0);
  taken.back().become_session();
  BOOST_TEST(!seats.admits(here));
  BOOST_TEST(seats.sessions() == 1);
  taken.clear();
  BOOST_TEST(seats.admits(here));
  BOOST_TEST(seats.sessions() == 0);
}

BOOST_AUTO_TEST_CASE(limits_sessions_by_address) {
  options.max_connections_per_address = 1;
  take(here);
  BOOST_TEST(seats.admits(here));
  taken.back().become_session();
  BOOST_TEST(!seats.admits(here));
  BOOST_TEST(seats.admits(there));
}

BOOST_AUTO_TEST_CASE(all_connections_count_with_some_to_spare) {
  options.max_connections = 2;
  take(here, 2 + capacity::spare - 1);
  BOOST_TEST(seats.has_room());
  take(there);
  BOOST_TEST(!seats.has_room());
  BOOST_TEST(seats.admits(here));
  taken.pop_back();
  BOOST_TEST(seats.has_room());
}

BOOST_AUTO_TEST_CASE(all_connections_of_an_address_count_with_some_to_spare) {
  options.max_connections_per_address = 2;
  take(here, 2 + capacity::spare_per_address - 1);
  BOOST_TEST(seats.has_room_for(here));
  take(here);
  BOOST_TEST(!seats.has_room_for(here));
  BOOST_TEST(seats.has_room_for(there));
  BOOST_TEST(seats.admits(here));
}

BOOST_AUTO_TEST_CASE(zero_is_no_limit) {
  options.max_connections = 0;
  take(here, 1000);
  for (auto& seat : taken) seat.become_session();
  BOOST_TEST(seats.admits(here));
  BOOST_TEST(seats.has_room());
  BOOST_TEST(seats.has_room_for(here));
}

BOOST_AUTO_TEST_CASE(a_seat_that_moves_is_still_one) {
  capacity::seat first(seats, here);
  first.become_session();
  capacity::seat const second(std::move(first));
  BOOST_TEST(seats.sessions() == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
