// The past of rooms: what is kept, what is told of it, and what it takes.

#include "chat/history.hpp"

#include <boost/test/unit_test.hpp>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "plain_dialect.hpp"

namespace chorus::test {

namespace {

event said(std::uint64_t seq, std::string what) {
  return {.seq = seq, .what = event::kind::message, .announced = true, .name = "al", .text = std::move(what)};
}

event nothing(std::uint64_t seq) { return {.seq = seq}; }

event joined(std::uint64_t seq) {
  return {.seq = seq, .users = 1, .what = event::kind::joined, .announced = true, .name = "al"};
}

struct dialects {
  plain_dialect plain;
  terse_dialect terse;
  dialect_table both{terse, plain};
};

/// A room's past, and what it is told.
struct past_of_a_room : dialects {
  room_settings options;
  history_memory memory{0, [] {}};
  history past{options, memory};
  std::uint64_t seq = 0;

  encoded_batch batch_of(std::vector<event> events) const { return {std::move(events), both}; }
  /// One batch of so many messages, which are the numbers that they have.
  void extend(std::size_t messages) {
    std::vector<event> events;
    for (std::size_t i = 0; i != messages; ++i) {
      ++seq;
      events.push_back(said(seq, std::to_string(seq)));
    }
    past.extend(batch_of(std::move(events)));
  }
  void extend_with(std::vector<event> events) {
    seq = events.back().seq;
    past.extend(batch_of(std::move(events)));
  }

  std::string told_after(std::uint64_t cursor, dialect_id in, std::size_t limit, event_range too_much = {}) {
    auto const tail = past.after(cursor, in, limit);
    BOOST_TEST((tail.too_much == too_much));
    std::string all;
    for (auto const& packet : tail.packets) all += packet->bytes;
    return all;
  }
};

/// Three rooms that share a memory, which has another use that it can give up.
struct three_rooms : dialects {
  room_settings options;
  std::size_t one_batch = encoded_batch({said(1, "")}, both).size();
  int to_spare = 0;
  int asked = 0;
  bool is_asked = false;
  history_memory memory{3 * one_batch, [this] {
                          ++asked;
                          is_asked = true;
                        }};
  history a{options, memory};
  history b{options, memory};
  std::list<history> last;  ///< the rooms that it may give up

  /// Until it is answered it may grow.
  void extend_unanswered(history& of, std::uint64_t seq) { of.extend({{said(seq, "")}, both}); }
  /// Gives up what it is asked for, one after the other.
  void answer() {
    while (std::exchange(is_asked, false)) {
      auto const has_one = to_spare != 0;
      if (has_one) {
        --to_spare;
        last.pop_front();
      }
      memory.relieved(has_one);
    }
  }
  void extend(history& of, std::uint64_t seq) {
    extend_unanswered(of, seq);
    answer();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(batches, dialects)

BOOST_AUTO_TEST_CASE(are_encoded_once_in_each_dialect_when_somebody_is_to_get_them) {
  encoded_batch batch({joined(5), said(6, "x"), nothing(7)}, both);
  BOOST_TEST(plain.encoded == 0);
  auto const packet = batch.in(json);
  BOOST_TEST(packet->bytes == "5 joined al 1\n6 al: x\n");
  BOOST_TEST((packet->events == event_range{5, 7, 1}));
  BOOST_TEST(batch.in(json) == packet);
  BOOST_TEST(batch.in(text)->bytes == "al: x\n");
  BOOST_TEST((batch.in(text)->events == event_range{5, 7, 1}));
  BOOST_TEST(plain.encoded == 1);
  BOOST_TEST(terse.encoded == 1);
}

BOOST_AUTO_TEST_CASE(of_which_nothing_is_told_are_no_packet_and_encoded_once_as_well) {
  encoded_batch batch({joined(5), nothing(6)}, both);
  BOOST_TEST(batch.in(text) == nullptr);
  BOOST_TEST(batch.in(text) == nullptr);
  BOOST_TEST(terse.encoded == 1);
  BOOST_TEST(batch.in(json) != nullptr);
}

BOOST_AUTO_TEST_CASE(can_be_told_from_a_place_on) {
  encoded_batch batch({joined(5), said(6, "x"), said(7, "y")}, both);
  BOOST_TEST(batch.first() == 5U);
  BOOST_TEST(batch.last() == 7U);
  BOOST_TEST(batch.messages() == 2U);
  auto const rest = batch.from(7, json);
  BOOST_TEST(rest->bytes == "7 al: y\n");
  BOOST_TEST((rest->events == event_range{7, 7, 1}));
  BOOST_TEST(batch.from(5, json)->bytes == batch.in(json)->bytes);
}

BOOST_AUTO_TEST_CASE(take_more_when_they_are_encoded) {
  encoded_batch batch({said(1, std::string(1000, 'x'))}, both);
  auto const unencoded = batch.size();
  BOOST_TEST(unencoded >= 1000U + sizeof(event));
  batch.in(json);
  auto const once = batch.size();
  BOOST_TEST(once >= unencoded + 1000);
  batch.in(text);
  BOOST_TEST(batch.size() >= once + 1000);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(past, past_of_a_room)

BOOST_AUTO_TEST_CASE(is_bounded_in_messages_and_keeps_what_lies_between_them) {
  options.history_messages = 3;
  BOOST_TEST(past.first() == 1U);
  extend(2);
  extend_with({nothing(3), nothing(4)});
  extend(1);
  BOOST_TEST(past.first() == 1U);
  extend(1);
  // Batches go whole: of the first one a message would be the third last.
  BOOST_TEST(past.first() == 1U);
  extend(1);
  // Nor what lies before the third last.
  BOOST_TEST(past.first() == 3U);
  extend(1);
  BOOST_TEST(past.first() == 6U);
}

BOOST_AUTO_TEST_CASE(of_no_messages_is_empty) {
  options.history_messages = 0;
  extend(1);
  BOOST_TEST(past.first() == 2U);
  extend_with({nothing(2)});
  BOOST_TEST(past.first() == 2U);
  BOOST_TEST(memory.used() == 0U);
}

BOOST_AUTO_TEST_CASE(is_bounded_in_bytes) {
  auto const two = 2 * batch_of({said(1, "1")}).size();
  options.history_bytes = two;
  extend(1);
  extend(1);
  BOOST_TEST(past.first() == 1U);
  extend(1);
  BOOST_TEST(past.first() == 2U);
  extend_with({said(4, std::string(two, 'x'))});
  BOOST_TEST(past.first() == 5U);
  extend(1);
  BOOST_TEST(past.first() == 5U);
}

BOOST_AUTO_TEST_CASE(without_messages_is_bounded_in_bytes) {
  options.history_bytes = 10 * batch_of({joined(1)}).size();
  for (std::uint64_t next = 1; next <= 100; ++next) extend_with({joined(next)});
  BOOST_TEST(past.first() == 91U);
}

BOOST_AUTO_TEST_CASE(counts_what_is_encoded_later) {
  extend_with({said(1, std::string(1000, 'x'))});
  extend_with({said(2, std::string(1000, 'x'))});
  auto const before = memory.used();
  past.after(1, json, 10'000);
  BOOST_TEST(memory.used() >= before + 1000);
  BOOST_TEST(memory.used() < before + 2000);
  // A part of a batch is not kept.
  extend_with({said(3, "x"), said(4, "y")});
  auto const with_parts = memory.used();
  past.after(3, json, 10'000);
  BOOST_TEST(memory.used() == with_parts);
  past.after(0, text, 10'000);
  options.history_bytes = memory.used();
  extend_with({said(5, "")});
  BOOST_TEST(past.first() == 2U);
}

BOOST_AUTO_TEST_CASE(begins_before_the_last_so_many_messages) {
  BOOST_TEST((past.before_last(1) == std::nullopt));
  extend_with({nothing(1), said(2, "a"), nothing(3), said(4, "b")});
  extend_with({nothing(5), said(6, "c"), nothing(7)});
  BOOST_TEST((past.before_last(0) == std::nullopt));
  BOOST_TEST((past.before_last(1) == 5U));
  BOOST_TEST((past.before_last(2) == 3U));
  BOOST_TEST((past.before_last(3) == 1U));
  BOOST_TEST((past.before_last(100) == 1U));
}

BOOST_AUTO_TEST_CASE(without_messages_begins_nowhere) {
  extend_with({nothing(1), joined(2)});
  BOOST_TEST((past.before_last(5) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(is_told_after_any_event) {
  extend(3);
  extend_with({nothing(4), joined(5)});
  extend(2);
  auto const all = std::string("1 al: 1\n2 al: 2\n3 al: 3\n5 joined al 1\n6 al: 6\n7 al: 7\n");
  BOOST_TEST(told_after(0, json, 1000) == all);
  BOOST_TEST(told_after(1, json, 1000) == all.substr(all.find("2 ")));
  BOOST_TEST(told_after(3, json, 1000) == all.substr(all.find("5 ")));
  BOOST_TEST(told_after(4, json, 1000) == all.substr(all.find("5 ")));
  BOOST_TEST(told_after(5, json, 1000) == all.substr(all.find("6 ")));
  BOOST_TEST(told_after(7, json, 1000) == "");
  BOOST_TEST(told_after(1, text, 1000) == "al: 2\nal: 3\nal: 6\nal: 7\n");
}

BOOST_AUTO_TEST_CASE(what_exceeds_a_limit_is_the_old_end) {
  extend(3);
  extend_with({joined(4)});
  extend(2);
  extend(1);
  // Exactly the last batch, the last two, and one byte less.
  auto const one = std::string("7 al: 7\n");
  auto const two = std::string("5 al: 5\n6 al: 6\n") + one;
  BOOST_TEST(told_after(0, json, one.size(), {1, 6, 5}) == one);
  BOOST_TEST(told_after(0, json, two.size(), {1, 4, 3}) == two);
  BOOST_TEST(told_after(0, json, two.size() - 1, {1, 6, 5}) == one);
  BOOST_TEST(told_after(2, json, 0, {3, 7, 4}) == "");
  BOOST_TEST(told_after(1, text, 6, {2, 6, 4}) == "al: 7\n");
}

/// A smaller one before a larger one would fit, and would be out of order.
BOOST_AUTO_TEST_CASE(what_exceeds_a_limit_has_no_islands) {
  extend(1);
  extend_with({said(2, std::string(100, 'x'))});
  extend(1);
  BOOST_TEST(told_after(0, json, 50, {1, 2, 2}) == "3 al: 3\n");
}

BOOST_AUTO_TEST_CASE(is_told_between_any_events_until_a_limit_is_reached) {
  extend(3);
  extend_with({nothing(4), joined(5)});
  extend(2);
  struct {
    std::uint64_t from, to;
    std::size_t limit;
    std::string frames;
    std::uint64_t last, events;
  } const cases[] = {
      {1, 7, 1000, "1 al: 1\n2 al: 2\n3 al: 3\n5 joined al 1\n6 al: 6\n7 al: 7\n", 7, 6},
      {2, 3, 1000, "2 al: 2\n3 al: 3\n", 3, 2},
      {3, 6, 1000, "3 al: 3\n5 joined al 1\n6 al: 6\n", 6, 3},
      {4, 4, 1000, "", 4, 0},
      {7, 7, 1000, "7 al: 7\n", 7, 1},
      {1, 7, 1, "1 al: 1\n", 1, 1},
      {1, 7, 8, "1 al: 1\n", 1, 1},
      {1, 7, 9, "1 al: 1\n2 al: 2\n", 2, 2},
      // What is not told costs no bytes, but what follows may not come any more.
      {2, 7, 16, "2 al: 2\n3 al: 3\n", 3, 2},
      {2, 7, 17, "2 al: 2\n3 al: 3\n5 joined al 1\n", 5, 3},
  };
  for (auto const& c : cases) {
    auto const found = past.between(c.from, c.to, plain, c.limit);
    BOOST_TEST(found.frames == c.frames);
    BOOST_TEST(found.last == c.last);
    BOOST_TEST(found.events == c.events);
  }
}

/// Seeded: whatever batches and limits, the packets and the gap before them are the tail, and the accounts are right.
BOOST_AUTO_TEST_CASE(of_any_kind_is_told_as_its_tail) {
  for (unsigned seed = 0; seed != 50; ++seed) {
    std::mt19937 random(seed);
    history_memory all(0, [] {});
    options.history_messages = 1 + random() % 30;
    options.history_bytes = 1000 + random() % 5000;
    history kept(options, all);
    std::vector<event> log;
    for (int step = 0; step != 100; ++step) {
      std::vector<event> events;
      do {
        auto const next = log.size() + 1;
        auto const length = random() % 4 == 0 ? random() % 300 : 1;
        log.push_back(random() % 3 == 0 ? nothing(next) : said(next, std::string(length, 'x')));
        events.push_back(log.back());
      } while (random() % 3 != 0);
      kept.extend({std::move(events), both});
      if (kept.first() > log.size()) continue;
      auto const cursor = kept.first() - 1 + random() % (log.size() - kept.first() + 2);
      auto const tail = kept.after(cursor, random() % 2 == 0 ? json : text, random() % 500);
      // From the new end to the old one.
      auto at = log.size();
      std::size_t messages = 0;
      auto const pass = [&](event_range const& passed) {
        while (at > passed.last) BOOST_REQUIRE(!log[--at].announced);
        for (; at >= passed.first; --at) messages += log[at - 1].announced ? 1 : 0;
        BOOST_REQUIRE(messages == passed.messages);
        messages = 0;
      };
      for (auto i = tail.packets.size(); i-- != 0;) pass(tail.packets[i]->events);
      if (!tail.too_much.empty()) pass(tail.too_much);
      while (at > cursor) BOOST_REQUIRE(!log[--at].announced);
      BOOST_REQUIRE(at == cursor);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(memory_of_all_rooms, three_rooms)

BOOST_AUTO_TEST_CASE(is_what_their_batches_take) {
  BOOST_TEST(memory.used() == 0U);
  extend(a, 1);
  extend(b, 1);
  BOOST_TEST(memory.used() == 2 * one_batch);
  {
    history gone(options, memory);
    extend(gone, 1);
    BOOST_TEST(memory.used() == 3 * one_batch);
    gone.after(0, json, 1000);
    BOOST_TEST(memory.used() > 3 * one_batch);
  }
  BOOST_TEST(memory.used() == 2 * one_batch);
  BOOST_TEST(asked == 0);
}

BOOST_AUTO_TEST_CASE(loses_the_oldest_of_whatever_room) {
  extend(a, 1);
  extend(b, 1);
  extend(a, 2);
  extend(b, 2);
  BOOST_TEST(asked == 1);
  BOOST_TEST(a.first() == 2U);
  BOOST_TEST(b.first() == 1U);
  extend(b, 3);
  BOOST_TEST(a.first() == 2U);
  BOOST_TEST(b.first() == 2U);
  extend(b, 4);
  BOOST_TEST(a.first() == 3U);
  BOOST_TEST(b.first() == 2U);
  BOOST_TEST(memory.used() == 3 * one_batch);
}

BOOST_AUTO_TEST_CASE(is_relieved_first_and_no_more_than_it_needs) {
  for (int i = 0; i != 3; ++i) extend(last.emplace_back(options, memory), 1);
  to_spare = 3;
  extend(a, 1);
  BOOST_TEST(asked == 1);
  BOOST_TEST(last.size() == 2U);
  extend(a, 2);
  extend(a, 3);
  BOOST_TEST(last.size() == 0U);
  BOOST_TEST(a.first() == 1U);
  extend(a, 4);
  BOOST_TEST(a.first() == 2U);
}

/// Who can give some back is on another thread.
BOOST_AUTO_TEST_CASE(is_relieved_later_and_asked_for_once_meanwhile) {
  extend(last.emplace_back(options, memory), 1);
  to_spare = 1;
  for (std::uint64_t seq = 1; seq != 6; ++seq) extend_unanswered(a, seq);
  BOOST_TEST(asked == 1);
  BOOST_TEST(memory.used() == 6 * one_batch);
  BOOST_TEST(a.first() == 1U);
  // That was not enough, and there is no more.
  answer();
  BOOST_TEST(asked == 2);
  BOOST_TEST(last.empty());
  BOOST_TEST(memory.used() == 3 * one_batch);
  BOOST_TEST(a.first() == 3U);
}

BOOST_AUTO_TEST_CASE(has_a_limit_that_is_told_later) {
  memory.limit_to(one_batch);
  extend(a, 1);
  BOOST_TEST(asked == 0);
  extend(a, 2);
  BOOST_TEST(asked == 1);
  BOOST_TEST(a.first() == 2U);
}

BOOST_AUTO_TEST_CASE(may_be_too_small_for_a_batch) {
  extend(a, 1);
  b.extend({{said(1, std::string(4 * one_batch, 'x'))}, both});
  answer();
  BOOST_TEST(a.first() == 2U);
  BOOST_TEST(b.first() == 2U);
  BOOST_TEST(memory.used() == 0U);
}

BOOST_AUTO_TEST_CASE(is_zero_when_all_rooms_have_gone) {
  for (unsigned seed = 0; seed != 20; ++seed) {
    std::mt19937 random(seed);
    is_asked = false;
    history_memory bounded(random() % 2 == 0 ? 0 : 5000, [this] { is_asked = true; });
    std::vector<std::unique_ptr<history>> rooms(5);
    std::uint64_t seq = 0;
    for (int step = 0; step != 500; ++step) {
      auto& room = rooms[random() % rooms.size()];
      if (!room) room = std::make_unique<history>(options, bounded);
      room->extend({{said(++seq, std::string(random() % 200, 'x'))}, both});
      if (random() % 3 == 0) room->after(seq - random() % 5, random() % 2 == 0 ? json : text, 1000);
      if (random() % 10 == 0) room.reset();
      if (!is_asked || random() % 4 != 0) continue;
      is_asked = false;
      bounded.relieved(false);
      BOOST_TEST(bounded.used() <= 5000U);
    }
    rooms.clear();
    BOOST_TEST(bounded.used() == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
