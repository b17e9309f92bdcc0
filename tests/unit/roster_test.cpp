// The fold: what the entries of a log mean.

#include "chat/roster.hpp"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <range/v3/algorithm/any_of.hpp>
#include <range/v3/algorithm/find.hpp>
#include <set>
#include <string>
#include <vector>

#include "protocol/name.hpp"

namespace chorus::test {

namespace {

std::string describe(event const& e) {
  constexpr auto kinds = std::array{"message", "joined", "left", "renamed", "nothing"};
  return std::to_string(e.seq) + " " + kinds[static_cast<std::size_t>(e.what)] + " name=" + e.name + " text=" + e.text +
         " id=" + e.id + " users=" + std::to_string(e.users) + " at=" + std::to_string(e.at) +
         (e.announced ? " announced" : "") + (e.turns_presence ? " turns" : "");
}

/// Folds what members want one after the other.
struct folded_room {
  roster present;
  std::uint64_t seq = 0;

  explicit folded_room(std::size_t announce_limit = 1000) : present(announce_limit) {}

  event fold(draft what) { return present.fold({++seq, std::move(what)}); }
  event fold(std::uint64_t who, std::uint64_t count, draft::kind wants, std::string text = {}) {
    return fold({.from = {1, 0, who}, .count = count, .wants = wants, .text = std::move(text)});
  }
  event join(std::uint64_t who, std::string name = {}) { return fold(who, 1, draft::kind::join, std::move(name)); }
  event leave(std::uint64_t who) { return fold(who, 1000, draft::kind::leave); }
};

/// The same rules, written down as plainly as can be.
class naive_roster {
 public:
  explicit naive_roster(std::size_t announce_limit) : limit_(announce_limit), quiet_(announce_limit == 0) {}

  event fold(log_entry const& next) {
    event e{.seq = next.seq, .at = next.what.at};
    auto const& wanted = next.what;
    auto const here = ranges::find(members_, wanted.from, &member::id);
    if (here == members_.end() && wanted.wants == draft::kind::join) {
      auto const name = wanted.text.empty() ? "user" + std::to_string(nameless_++) : wanted.text;
      members_.push_back({wanted.from, first_free(name), wanted.count});
      tell(e, event::kind::joined, members_.back().name);
    } else if (here != members_.end() && wanted.count > here->count) {
      here->count = wanted.count;
      apply(e, *here, wanted);
    }
    return e;
  }

 private:
  struct member {
    member_id id;
    std::string name;
    std::uint64_t count;
  };

  void apply(event& e, member& by, draft const& wanted) {
    if (wanted.wants == draft::kind::say) {
      e.what = event::kind::message;
      e.name = by.name;
      e.text = wanted.text;
      e.id = wanted.id;
      e.users = members_.size();
      e.announced = true;
    } else if (wanted.wants == draft::kind::rename) {
      auto const before = std::exchange(by.name, std::string());
      by.name = first_free(wanted.text);
      e.text = by.name;
      tell(e, event::kind::renamed, before);
    } else if (wanted.wants == draft::kind::leave) {
      auto const name = by.name;
      std::erase_if(members_, [&](member const& m) { return m.id == wanted.from; });
      tell(e, event::kind::left, name);
    }
  }

  void tell(event& e, event::kind what, std::string const& name) {
    auto const was_quiet = quiet_;
    auto const users = static_cast<double>(members_.size());
    auto const limit = static_cast<double>(limit_);
    if (users > limit) quiet_ = true;
    if (users < limit * 7 / 8) quiet_ = false;
    e.what = what;
    e.name = name;
    e.users = members_.size();
    e.announced = !quiet_;
    e.turns_presence = quiet_ != was_quiet;
  }

  std::string first_free(std::string const& wanted) const {
    auto const is_taken = [this](std::string const& name) {
      return ranges::any_of(members_, [&](member const& m) { return name_key(m.name) == name_key(name); });
    };
    if (!is_taken(wanted)) return wanted;
    for (std::size_t number = 2;; ++number)
      if (auto name = numbered_name(wanted, number); !is_taken(name)) return name;
  }

  std::size_t limit_;
  bool quiet_;
  std::uint64_t nameless_ = 0;
  std::vector<member> members_;
};

/// Names that get into each other's way: by case, by number, by being cut, by what does not show.
std::string any_name(std::mt19937& random) {
  static auto const names = std::vector<std::string>{"",
                                                     "",
                                                     "bob",
                                                     "Bob",
                                                     "BOB",
                                                     "bob-2",
                                                     "bob-3",
                                                     "Bob-4",
                                                     "bob-1",
                                                     "bob-02",
                                                     "bob-2-2",
                                                     "straße",
                                                     "STRASSE",
                                                     "Straße-2",
                                                     "user",
                                                     "user-2",
                                                     "bo\u200db",
                                                     std::string(32, 'x'),
                                                     std::string(26, 'x') + "-2",
                                                     std::string(27, 'X'),
                                                     "-2",
                                                     "bob-9007199254740992"};
  return names[random() % names.size()];
}

/// What very different members want, each in its order: it joins, or not, and speaks, leaves, comes again, or says
/// what it has said before.
std::vector<draft> wishes_of(std::uint64_t who, std::mt19937& random) {
  constexpr auto kinds = std::array{draft::kind::say, draft::kind::rename, draft::kind::leave, draft::kind::join};
  std::vector<draft> all;
  auto const length = 1 + random() % 12;
  for (std::uint64_t count = 1; count <= length; ++count) {
    auto const is_first = count == 1 && random() % 16 != 0;
    auto const wants = is_first ? draft::kind::join : kinds[std::array{0U, 0U, 0U, 1U, 1U, 1U, 2U, 3U}[random() % 8]];
    auto const at = static_cast<std::int64_t>(random() % 100);
    auto name = any_name(random);
    if (wants == draft::kind::rename && name.empty()) name = "al";
    auto const mark = random() % 2 == 0 ? std::string() : "mark" + std::to_string(count);
    all.push_back({.from = {1, 0, who}, .count = count, .at = at, .wants = wants, .text = std::move(name), .id = mark});
    if (random() % 4 == 0) all.push_back(all[random() % all.size()]);
  }
  return all;
}

/// All of it in any order that keeps each one's own.
std::vector<log_entry> interleaved(std::vector<std::vector<draft>> const& of, std::mt19937& random) {
  std::vector<std::size_t> turns;
  for (std::size_t who = 0; who != of.size(); ++who) turns.insert(turns.end(), of[who].size(), who);
  // A tenth of them are here at a time, as it were.
  for (std::size_t i = 0; i != turns.size(); ++i)
    std::swap(turns[i], turns[std::min(i + random() % 60, turns.size() - 1)]);
  std::vector<std::size_t> next(of.size());
  std::vector<log_entry> all;
  for (auto const who : turns) all.push_back({all.size() + 1, of[who][next[who]++]});
  return all;
}

std::vector<log_entry> any_log(std::mt19937& random) {
  std::vector<std::vector<draft>> wishes;
  for (std::uint64_t who = 1; who <= 100; ++who) wishes.push_back(wishes_of(who, random));
  return interleaved(wishes, random);
}

constexpr auto seeds = 15U;

std::size_t any_limit(std::mt19937& random) { return std::array{0U, 1U, 7U, 8U, 16U, 1000U}[random() % 6]; }

template <class Action>
std::chrono::duration<double> time_of(Action action) {
  auto const before = std::chrono::steady_clock::now();
  action();
  return std::chrono::steady_clock::now() - before;
}

/// What takes a hundred times longer if it takes longer the more there are.
constexpr auto generous = std::chrono::seconds(5);

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fold, folded_room)

BOOST_AUTO_TEST_CASE(a_member_joins_speaks_renames_itself_and_leaves) {
  BOOST_TEST(describe(join(1, "bob")) == "1 joined name=bob text= id= users=1 at=0 announced");
  BOOST_TEST(describe(fold({.from = {1, 0, 1}, .count = 2, .at = 5, .text = "hi", .id = "x"})) ==
             "2 message name=bob text=hi id=x users=1 at=5 announced");
  BOOST_TEST(describe(fold(1, 3, draft::kind::rename, "al")) ==
             "3 renamed name=bob text=al id= users=1 at=0 announced");
  BOOST_TEST(describe(fold(1, 4, draft::kind::say)) == "4 message name=al text= id= users=1 at=0 announced");
  BOOST_TEST(describe(leave(1)) == "5 left name=al text= id= users=0 at=0 announced");
  BOOST_TEST(present.seq() == 5U);
}

BOOST_AUTO_TEST_CASE(what_means_nothing_is_not_announced) {
  auto const nothing = [](event const& e) { return e.what == event::kind::nothing && !e.announced && e.name.empty(); };
  BOOST_TEST(nothing(fold(1, 1, draft::kind::say, "never joined")));
  BOOST_TEST(nothing(fold(1, 2, draft::kind::rename, "never joined")));
  BOOST_TEST(nothing(leave(1)));
  join(2, "bob");
  BOOST_TEST(nothing(fold(2, 1, draft::kind::join, "the same again")));
  BOOST_TEST(nothing(fold(2, 2, draft::kind::join, "is here")));
  BOOST_TEST(!nothing(fold(2, 3, draft::kind::say, "x")));
  BOOST_TEST(nothing(fold(2, 3, draft::kind::say, "x")));
  BOOST_TEST(nothing(fold(2, 2, draft::kind::leave)));
  BOOST_TEST(!nothing(leave(2)));
  BOOST_TEST(nothing(leave(2)));
  BOOST_TEST(present.users() == 0U);
  BOOST_TEST(present.seq() == seq);
}

BOOST_AUTO_TEST_CASE(a_taken_name_gets_the_first_free_number) {
  BOOST_TEST(join(1, "bob").name == "bob");
  BOOST_TEST(join(2, "bob").name == "bob-2");
  BOOST_TEST(join(3, "BOB").name == "BOB-3");
  BOOST_TEST(join(4, "bob-2").name == "bob-2-2");
  leave(2);
  BOOST_TEST(join(5, "bob").name == "bob-2");
  leave(1);
  BOOST_TEST(join(6, "Bob").name == "Bob");
  BOOST_TEST(join(7, "Bob").name == "Bob-4");
}

BOOST_AUTO_TEST_CASE(who_wants_its_own_name_keeps_it) {
  join(1, "bob");
  join(2, "bob");
  BOOST_TEST(fold(2, 2, draft::kind::rename, "bob-2").text == "bob-2");
  BOOST_TEST(fold(2, 3, draft::kind::rename, "BOB-2").text == "BOB-2");
  BOOST_TEST(fold(2, 4, draft::kind::rename, "bob").text == "bob-2");
  leave(1);
  BOOST_TEST(fold(2, 5, draft::kind::rename, "bob").text == "bob");
  BOOST_TEST(join(3, "bob-2").name == "bob-2");
}

BOOST_AUTO_TEST_CASE(the_nameless_are_numbered_and_never_the_same_again) {
  BOOST_TEST(join(1).name == "user0");
  BOOST_TEST(join(2, "bob").name == "bob");
  BOOST_TEST(join(3).name == "user1");
  for (auto const who : {1U, 2U, 3U}) leave(who);
  BOOST_TEST(join(4).name == "user2");
}

BOOST_AUTO_TEST_CASE(names_are_told_in_order) {
  join(1, "cy");
  join(2, "al");
  join(3, "Zoe");
  BOOST_TEST(present.names() == (std::vector<std::string>{"Zoe", "al", "cy"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(presence_turns_above_the_limit_and_below_seven_eighths_of_it) {
  folded_room of_eight(8);
  std::string told;
  auto const note = [&](event const& e) {
    told += std::to_string(e.users) + (e.announced ? "" : "-") + (e.turns_presence ? "! " : " ");
  };
  for (std::uint64_t who = 1; who <= 10; ++who) note(of_eight.join(who));
  BOOST_TEST(!of_eight.present.tells_presence());
  note(of_eight.fold(10, 2, draft::kind::rename, "al"));
  note(of_eight.fold(10, 3, draft::kind::say, "is always told"));
  for (std::uint64_t who = 1; who <= 5; ++who) note(of_eight.leave(who));
  BOOST_TEST(of_eight.present.tells_presence());
  note(of_eight.join(11));
  BOOST_TEST(told == "1 2 3 4 5 6 7 8 9-! 10- 10- 10 9- 8- 7- 6! 5 6 ");
}

BOOST_AUTO_TEST_CASE(with_a_limit_of_zero_presence_is_never_told) {
  folded_room silent(0);
  for (auto const& e : {silent.join(1), silent.fold(1, 2, draft::kind::rename, "al"), silent.leave(1)}) {
    BOOST_TEST(!e.announced);
    BOOST_TEST(!e.turns_presence);
  }
  BOOST_TEST(!silent.present.tells_presence());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(fold_of_any_log)

BOOST_AUTO_TEST_CASE(is_what_the_rules_say) {
  for (unsigned seed = 0; seed != seeds; ++seed) {
    std::mt19937 random(seed);
    auto const limit = any_limit(random);
    roster real(limit);
    naive_roster model(limit);
    for (auto const& entry : any_log(random)) {
      auto const expected = describe(model.fold(entry));
      BOOST_REQUIRE_MESSAGE(describe(real.fold(entry)) == expected, "seed " << seed << ": " << expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(is_the_same_every_time) {
  for (unsigned seed = 0; seed != seeds; ++seed) {
    std::mt19937 random(seed);
    auto const limit = any_limit(random);
    roster once(limit);
    roster again(limit);
    for (auto const& entry : any_log(random)) BOOST_REQUIRE(describe(once.fold(entry)) == describe(again.fold(entry)));
    BOOST_TEST(once.names() == again.names(), boost::test_tools::per_element());
    BOOST_TEST(once.users() == again.users());
    BOOST_TEST(once.tells_presence() == again.tells_presence());
  }
}

BOOST_AUTO_TEST_CASE(gives_nobody_the_name_of_another) {
  for (unsigned seed = 0; seed != seeds; ++seed) {
    std::mt19937 random(seed);
    roster present(any_limit(random));
    std::set<std::string> nameless;
    std::uint64_t seq = 0;
    for (auto const& entry : any_log(random)) {
      auto const is_nameless = entry.what.text.empty();
      auto const e = present.fold(entry);
      BOOST_REQUIRE(e.seq == ++seq);
      BOOST_REQUIRE(present.seq() == seq);
      if (e.what == event::kind::joined && is_nameless) BOOST_REQUIRE(nameless.insert(e.name).second);
      std::set<std::string> keys;
      for (auto const& name : present.names()) BOOST_REQUIRE_MESSAGE(keys.insert(name_key(name)).second, name);
      BOOST_REQUIRE(keys.size() == present.users());
      if (e.what != event::kind::nothing) BOOST_REQUIRE(e.users == present.users());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(names_of_many)

BOOST_AUTO_TEST_CASE(ten_thousand_of_one_name_join_fast) {
  folded_room big;
  auto const taken = time_of([&] {
    for (std::uint64_t who = 1; who <= 10'000; ++who) big.join(who, "bob");
  });
  BOOST_TEST(big.join(20'000, "bob").name == "bob-10001");
  BOOST_TEST((taken < generous));
}

/// One leaves, two come, and so on: the first free number is now a small one and now a new one.
BOOST_AUTO_TEST_CASE(ten_thousand_of_one_name_come_and_go_fast) {
  unique_names names;
  for (int i = 0; i != 10'000; ++i) names.take("bob");
  auto const taken = time_of([&] {
    for (std::size_t i = 0; i != 1'000; ++i) {
      names.give_back("bob-2");
      BOOST_REQUIRE(names.take("bob") == "bob-2");
      BOOST_REQUIRE(names.take("bob") == "bob-" + std::to_string(10'001 + i));
    }
  });
  BOOST_TEST((taken < generous));
}

/// Seeded: any of many `bob`s leave, some come who want one of the numbers by name.
BOOST_AUTO_TEST_CASE(the_first_free_number_is_the_first) {
  for (unsigned seed = 0; seed != 10; ++seed) {
    std::mt19937 random(seed);
    unique_names names;
    std::vector<std::size_t> taken;
    std::set<std::size_t> free;
    for (std::size_t number = 2; number != 2000; ++number) free.insert(number);
    names.take("bob");
    auto const take = [&](std::size_t number) {
      free.erase(number);
      taken.push_back(number);
    };
    for (int step = 0; step != 3000; ++step) {
      // Now many come, now many go.
      if (taken.empty() || random() % 1000 < (step / 500 % 2 == 0 ? 700U : 300U)) {
        auto const number = *std::next(free.begin(), random() % 10 == 0 ? random() % 20 : 0);
        auto const wanted = number == *free.begin() ? "bob" : "bob-" + std::to_string(number);
        BOOST_REQUIRE(names.take(wanted) == "bob-" + std::to_string(number));
        take(number);
      } else {
        std::swap(taken[random() % taken.size()], taken.back());
        names.give_back("bob-" + std::to_string(taken.back()));
        free.insert(taken.back());
        taken.pop_back();
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
