// Whatever happens in a room, in whatever order: what its members hear is what has happened.

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "awkward_log.hpp"
#include "log_record.hpp"
#include "member_view.hpp"
#include "running_room.hpp"
#include "support/slices.hpp"

namespace chorus::test {

namespace {

enum class log_kind { in_memory, awkward, stuttering };

std::ostream& operator<<(std::ostream& to, log_kind kind) {
  return to << std::array{"in memory", "awkward", "stuttering"}[static_cast<std::size_t>(kind)];
}

std::unique_ptr<event_log> make_log(log_kind kind, executor ex, unsigned seed) {
  if (kind == log_kind::in_memory) return std::make_unique<memory_log>(ex);
  return std::make_unique<awkward_log>(ex, seed, kind == log_kind::stuttering);
}

struct participant {
  std::unique_ptr<user> who;
  visit its;
  dialect_id speaks;
  std::vector<std::uint64_t> left_refused = {};
  bool asking = false;
};

awaitable<void> ask_users(participant& by) {
  by.asking = true;
  co_await by.who->in->ask_users();
  by.asking = false;
}

awaitable<void> ask_replay(participant& by, replay asked) {
  by.asking = true;
  by.its.asked.push_back(asked);
  co_await by.who->in->ask_replay(asked);
  by.asking = false;
}

struct scene {
  log_kind kind;
  unsigned seed;
  std::size_t most_members;
  std::size_t announce_limit;
  bool keeps_all;  ///< its history is unbounded
  int steps;
};

room_settings settings_of(scene const& s) {
  room_settings settings;
  settings.announce_limit = s.announce_limit;
  settings.history_messages = s.keeps_all ? unlimited : 20;
  settings.history_bytes = s.keeps_all ? unlimited : 20'000;
  return settings;
}

/// Members that come, go, talk, rename themselves, ask, and read slowly, all at random.
class crowd {
 public:
  explicit crowd(scene const& of)
      : scene_(of), random_(of.seed), record_(of.announce_limit), at_(settings_of(of), [&](executor ex) {
          return std::make_unique<recorded_log>(make_log(of.kind, ex, of.seed), record_);
        }) {}

  void live() {
    for (int step = 0; step != scene_.steps; ++step) act();
  }

  /// Everyone is told everything and reads it.
  void settle() {
    poll(at_.io);
    // As a session does: who cannot join goes.
    for (auto* const p : present())
      if (!p->who->refused.empty() && p->who->refused.front().wants == draft::kind::join) leave(*p);
    poll(at_.io);
    for (auto& p : all_) read_all(p);
    // Who was waiting for its answers to go has none any more.
    BOOST_REQUIRE(at_.lobby.has_caught_up());
    BOOST_REQUIRE(at_.lobby.users() == record_.users_now());
    BOOST_REQUIRE(record_.users_now() == present().size());
  }

  /// What was missed can be had, as long as it is there.
  void replay_gaps() {
    for (auto* const p : present()) {
      if (p->speaks != dialect_id::json || p->its.asked.size() > 20) continue;
      auto const before = view_of(*p);
      for (auto const& gap : before.gaps()) replay_all(*p, gap);
      if (!scene_.keeps_all) continue;
      auto const view = view_of(*p);
      for (auto seq = first_of(*p); seq <= record_.last(); ++seq)
        BOOST_REQUIRE((record_.at(seq).line.empty() || view.heard().contains(seq)));
    }
  }

  void check() {
    for (auto& p : all_) {
      auto const& lines = p.who->peer.written;
      BOOST_REQUIRE(p.who->peer.failures == 0);
      if (p.speaks == dialect_id::text) {
        read_terse_view(lines, record_, p.its, scene_.keeps_all);
      } else if (p.its.has_left) {
        view_of(p);
      } else {
        view_of(p).require_end();
      }
      check_refused(p);
    }
  }

  void end() {
    for (auto* const p : present()) leave(*p);
    poll(at_.io);
    BOOST_REQUIRE(at_.lobby.users() == 0);
    BOOST_REQUIRE(!at_.lobby.runs());
    BOOST_REQUIRE(at_.lobby.has_caught_up());
  }

 private:
  void act() {
    auto const choice = random_() % 32;
    if (choice < 3 && present().size() < scene_.most_members) return join();
    auto* const p = anyone();
    if (p == nullptr || choice < 14) return poll_one(at_.io);
    if (choice == 14) return leave(*p);
    if (choice == 15) return p->who->in->rename(any_name("al"));
    if (choice == 16) return ask_something(*p);
    if (choice == 17) return read_some(*p);
    if (choice == 18 && random_() % 8 == 0) return poll(at_.io);
    if (choice < 22) return say(*p);
    poll_one(at_.io);
  }

  void join() {
    auto const speaks = random_() % 2 == 0 ? dialect_id::text : dialect_id::json;
    auto const is_slow = random_() % 3 == 0;
    join_request wishes;
    if (random_() % 2 == 0) wishes.name = any_name("bo");
    if (random_() % 2 == 0) wishes.history = random_() % 30;
    if (random_() % 3 == 0) wishes.since = cursor{running_room::epoch - (random_() % 8 == 0 ? 1 : 0), any_seq()};
    auto who = std::make_unique<user>(at_, wishes, speaks, is_slow ? 300 + random_() % 1500 : unlimited);
    if (is_slow) who->peer.room = random_() % 500;
    visit its{.who = who->id, .wishes = wishes, .takes_all = !is_slow};
    all_.push_back({std::move(who), std::move(its), speaks});
  }

  void leave(participant& p) {
    p.who->leave();
    p.its.has_left = true;
  }

  /// Now and then so much that a fan-out has slices.
  void say(participant& by) {
    auto const is_long = scene_.most_members < 100 && random_() % 64 == 0;
    by.who->say("m" + std::to_string(++said_) + std::string(is_long ? 100'000 : random_() % 50, 'x'));
  }

  void ask_something(participant& by) {
    if (by.speaks != dialect_id::json || by.asking || by.who->greetings == 0 || scene_.most_members > 100) return;
    if (random_() % 2 == 0) return start_later(at_.io, ask_users(by));
    auto const view = view_of(by);
    if (view.at() == 0) return;
    auto const from = 1 + random_() % view.at();
    auto asked = replay{from, from + random_() % (view.at() - from + 1)};
    if (!view.gaps().empty()) asked = view.gaps()[random_() % view.gaps().size()];
    start_later(at_.io, ask_replay(by, asked));
  }

  void read_some(participant& by) {
    by.who->peer.drain(by.who->channel, random_() % 1000);
    if (!by.its.takes_all) by.who->peer.room = random_() % 500;
  }

  void read_all(participant& by) {
    by.who->peer.drain(by.who->channel);
    if (!by.its.has_left) by.who->peer.room = unlimited;
  }

  void replay_all(participant& by, replay gap) {
    while (gap.from <= gap.to) {
      auto const before = by.who->peer.written.size();
      start(at_.io, ask_replay(by, gap));
      auto const& written = by.who->peer.written;
      BOOST_REQUIRE(written.size() > before);
      gap.from = std::stoull(written.substr(written.rfind('-') + 1)) + 1;
    }
  }

  plain_view view_of(participant const& p) const {
    plain_view view(record_, p.its, scene_.keeps_all);
    view.read(p.who->peer.written);
    return view;
  }

  /// The first event that it was to hear of.
  std::uint64_t first_of(participant const& p) const {
    auto const& written = p.who->peer.written;
    return std::stoull(written.substr(written.find(':') + 1)) + 1;
  }

  /// Each draft that the log did not take comes back once, to the one who wanted it.
  void check_refused(participant const& p) const {
    std::vector<std::uint64_t> refused;
    for (auto const& draft : p.who->refused) refused.push_back(draft.count);
    auto expected = record_.failed_of(p.its.who);
    if (p.its.has_left) expected.resize(std::min(expected.size(), refused.size()));
    BOOST_REQUIRE(refused == expected);
  }

  std::string any_name(std::string const& base) { return base + (random_() % 3 == 0 ? "-2" : ""); }
  std::uint64_t any_seq() { return random_() % (record_.last() + 3); }

  std::vector<participant*> present() {
    std::vector<participant*> found;
    for (auto& p : all_)
      if (!p.its.has_left) found.push_back(&p);
    return found;
  }
  participant* anyone() {
    auto const here = present();
    return here.empty() ? nullptr : here[random_() % here.size()];
  }

  scene scene_;
  std::mt19937 random_;
  log_record record_;
  running_room at_;
  std::list<participant> all_;
  int said_ = 0;
};

void play(scene const& of) {
  try {
    crowd people(of);
    people.live();
    people.settle();
    people.check();
    people.replay_gaps();
    people.check();
    people.end();
  } catch (wrong_view const& e) {
    BOOST_ERROR("log " << of.kind << ", seed " << of.seed << ": " << e.what());
  }
}

constexpr auto kinds = std::array{log_kind::in_memory, log_kind::awkward, log_kind::stuttering};

}  // namespace

BOOST_AUTO_TEST_SUITE(any_schedule)

BOOST_DATA_TEST_CASE(few_members_hear_what_happens, kinds, kind) {
  constexpr auto limits = std::array<std::size_t, 4>{1000, 0, 5, 20};
#ifdef NDEBUG
  constexpr unsigned seeds = 16;
#else
  constexpr unsigned seeds = 8;  // as the sanitizers build it, it takes ten times as long
#endif
  for (unsigned seed = 0; seed != seeds; ++seed) play({kind, seed, 30, limits[seed % 4], seed % 3 != 0, 3000});
}

/// So many that each batch is fanned out in slices.
BOOST_DATA_TEST_CASE(many_members_hear_what_happens, kinds, kind) { play({kind, 1, 3 * slice, 3 * slice, true, 5000}); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
