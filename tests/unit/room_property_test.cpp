// Whatever happens in a room, in whatever order, on however many shards: what its members hear is what has happened.

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
#include "several_shards.hpp"
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
  std::size_t questions = 0;  ///< that it has asked
  int waits = 0;              ///< until the room was not behind any more

  bool is_asking() const { return who->answers.size() != questions; }
  bool is_waiting() const { return who->times_unburdened != waits; }

  void ask_users() {
    ++questions;
    who->ask_users();
  }
  void ask_replay(replay asked) {
    ++questions;
    its.asked.push_back(asked);
    who->ask_replay(asked.from, asked.to);
  }
};

struct scene {
  log_kind kind;
  std::size_t shards;
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

/// Members that come, go, talk, rename themselves, ask, and read slowly, all at random, on random shards, of which now
/// and then one sleeps. The first shard is the home of their room.
class crowd {
 public:
  explicit crowd(scene const& of)
      : scene_(of),
        random_(of.seed),
        record_(of.announce_limit),
        at_(of.shards, settings_of(of), of.seed, [this](executor home, std::string const&) {
          return std::make_unique<recorded_log>(make_log(scene_.kind, home, scene_.seed), record_);
        }) {
    at_.create_lobby();
  }

  void live() {
    for (int step = 0; step != scene_.steps; ++step) act();
  }

  /// Everyone is told everything and reads it.
  void settle() {
    at_.asleep.reset();
    at_.settle();
    // As a session does: who cannot join goes.
    for (auto* const p : present())
      if (!p->who->refused.empty() && p->who->refused.front().wants == draft::kind::join) leave(*p);
    at_.settle();
    for (auto& p : all_) read_all(p);
    require_rest();
    BOOST_REQUIRE(record_.users_now() == present().size());
    for (auto* const p : present()) {
      // Who was waiting for its answers to go has none any more.
      BOOST_REQUIRE(!p->is_asking());
      BOOST_REQUIRE(!p->is_waiting());
      BOOST_REQUIRE(!p->who->in->must_wait());
      require_users(*p);
    }
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
    at_.settle();
    require_rest();
    BOOST_REQUIRE(record_.users_now() == 0);
    // The room knows it as well.
    auto users = std::string::npos;
    while (users == std::string::npos) {
      user late(at_.lobby_on(any_shard()));
      at_.settle();
      users = late.peer.written.find(" 1 1000:");
      BOOST_REQUIRE((users != std::string::npos || !late.refused.empty()));
    }
    at_.settle();
    require_rest();
  }

 private:
  void act() {
    if (at_.size() > 1 && random_() % 64 == 0) sleep();
    auto const choice = random_() % 32;
    if (choice < 3 && present().size() < scene_.most_members) return join();
    auto* const p = anyone();
    if (p == nullptr || choice < 14) return turns();
    if (choice == 14) return leave(*p);
    if (choice == 15) return p->who->in->rename(any_name("al"));
    if (choice == 16) return ask_something(*p);
    if (choice == 17) return read_some(*p);
    if (choice == 18 && random_() % 8 == 0) return at_.settle();
    if (choice < 22) return say(*p);
    turns();
  }

  /// On the average each shard has one.
  void turns() {
    for (std::size_t i = 0; i != at_.size(); ++i) at_.any_turn();
  }

  /// The others run on without it, or none sleeps.
  void sleep() {
    auto const which = static_cast<shard_id>(random_() % (2 * at_.size()));
    at_.asleep = which < at_.size() ? std::optional(which) : std::nullopt;
  }

  /// Nothing is on its way any more, and the room does not run.
  void require_rest() {
    std::size_t caught_up = 0;
    auto settled = false;
    at_[0].when_settled(at_.epoch, [&settled](bool) { settled = true; });
    BOOST_REQUIRE(settled);
    at_.catch_up(caught_up);
    at_.settle();
    BOOST_REQUIRE(caught_up == at_.size());
  }

  void require_users(participant& by) {
    if (by.speaks != dialect_id::json || present().size() > 100) return;
    by.ask_users();
    at_.settle();
    auto const answer = "users " + std::to_string(record_.users_now());
    BOOST_REQUIRE(by.who->peer.written.find(answer) != std::string::npos);
  }

  void join() {
    auto const speaks = random_() % 2 == 0 ? dialect_id::text : dialect_id::json;
    auto const is_slow = random_() % 3 == 0;
    join_request wishes;
    if (random_() % 2 == 0) wishes.name = any_name("bo");
    if (random_() % 2 == 0) wishes.history = random_() % 30;
    if (random_() % 3 == 0) wishes.since = cursor{running_room::epoch - (random_() % 8 == 0 ? 1 : 0), any_seq()};
    auto const limit = is_slow ? 300 + random_() % 1500 : unlimited;
    auto who = std::make_unique<user>(at_.lobby_on(any_shard()), wishes, speaks, limit);
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
    if (by.is_waiting()) return;
    // As a session does it.
    if (by.who->in->must_wait()) {
      ++by.waits;
      return by.who->in->wait();
    }
    auto const is_long = scene_.most_members < 100 && random_() % 64 == 0;
    by.who->say("m" + std::to_string(++said_) + std::string(is_long ? 100'000 : random_() % 50, 'x'));
  }

  void ask_something(participant& by) {
    if (by.speaks != dialect_id::json || by.is_asking() || by.who->greetings == 0 || scene_.most_members > 100) return;
    if (random_() % 2 == 0) return by.ask_users();
    auto const view = view_of(by);
    if (view.at() == 0) return;
    auto const from = 1 + random_() % view.at();
    auto asked = replay{from, from + random_() % (view.at() - from + 1)};
    if (!view.gaps().empty()) asked = view.gaps()[random_() % view.gaps().size()];
    by.ask_replay(asked);
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
      by.ask_replay(gap);
      at_.settle();
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
  shard_id any_shard() { return static_cast<shard_id>(random_() % at_.size()); }
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
  several_shards at_;
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
    BOOST_ERROR("log " << of.kind << ", shards " << of.shards << ", seed " << of.seed << ": " << e.what());
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
  for (unsigned seed = 0; seed != seeds; ++seed)
    play({kind, 1 + seed % 3, seed, 30, limits[seed % 4], seed / 3 % 3 != 0, 3000});
}

/// So many that each batch is fanned out in slices.
BOOST_DATA_TEST_CASE(many_members_hear_what_happens, kinds, kind) {
  auto const shards = kind == log_kind::stuttering ? 1U : 2U;
  play({kind, shards, 1, 3 * slice, 3 * slice, true, 5000});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
