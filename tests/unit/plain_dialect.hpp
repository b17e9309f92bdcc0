#pragma once
// Dialects for tests: what happens as lines that can be read, and counted.

#include <string>
#include <utility>
#include <vector>

#include "protocol/cursor.hpp"
#include "protocol/dialect.hpp"

namespace chorus::test {

inline constexpr auto text = dialect_id::text;
inline constexpr auto json = dialect_id::json;

/// Tells everything, as JSON does: `4 al: hello`, `5 joined bob 2`, `gap 6-9`. One line for each, and one more,
/// `turns 9`, where presence turns.
class plain_dialect final : public dialect {
 public:
  int mutable encoded = 0;  ///< how often events were

  std::string greeting(welcome const& to) const override {
    return "welcome " + std::string(to.room) + " " + std::string(to.name) + " " + std::to_string(to.users) + " " +
           to_string(cursor{to.epoch, to.seq}) + (to.recovered ? " recovered\n" : "\n");
  }
  std::string encode(std::span<event const> events) const override {
    ++encoded;
    std::string lines;
    for (auto const& e : events) {
      if (e.announced) lines += std::to_string(e.seq) + " " + what(e) + "\n";
      if (e.turns_presence) lines += "turns " + std::to_string(e.users) + "\n";
    }
    return lines;
  }
  std::string gap(event_range const& missed) const override { return "gap " + range(missed.first, missed.last); }
  std::string users(std::size_t count, std::vector<std::string> const* names) const override {
    auto line = "users " + std::to_string(count);
    for (auto const& name : names == nullptr ? std::vector<std::string>() : *names) line += " " + name;
    return line + "\n";
  }
  std::string replayed(std::uint64_t from, std::uint64_t to) const override { return "replayed " + range(from, to); }
  std::string error(refusal why, std::string_view, std::string_view id) const override {
    return (why == refusal::bad_request ? "bad_request" : "unavailable") + std::string(id) + "\n";
  }
  command decode(opcode, std::string_view) const override { return ignored{}; }

 private:
  static std::string range(std::uint64_t from, std::uint64_t to) {
    return std::to_string(from) + "-" + std::to_string(to) + "\n";
  }
  static std::string what(event const& e) {
    auto const name_and_users = e.name + " " + std::to_string(e.users);
    switch (e.what) {
      case event::kind::message: return e.name + ": " + e.text + (e.id.empty() ? "" : " #" + e.id);
      case event::kind::joined: return "joined " + name_and_users;
      case event::kind::left: return "left " + name_and_users;
      case event::kind::renamed: return "renamed " + name_and_users + " " + e.text;
      case event::kind::nothing: break;
    }
    return "nothing";
  }
};

/// Tells messages only, as text does: `al: hello`, `skipped 3`.
class terse_dialect final : public dialect {
 public:
  int mutable encoded = 0;

  std::string greeting(welcome const& to) const override { return "hello " + std::to_string(to.users) + "\n"; }
  std::string encode(std::span<event const> events) const override {
    ++encoded;
    std::string lines;
    for (auto const& e : events)
      if (is_message(e)) lines += e.name + ": " + e.text + "\n";
    return lines;
  }
  std::string gap(event_range const& missed) const override {
    return missed.messages == 0 ? "" : "skipped " + std::to_string(missed.messages) + "\n";
  }
  std::string users(std::size_t, std::vector<std::string> const*) const override { return {}; }
  std::string replayed(std::uint64_t, std::uint64_t) const override { return {}; }
  std::string error(refusal, std::string_view, std::string_view) const override { return "error\n"; }
  command decode(opcode, std::string_view) const override { return ignored{}; }
};

}  // namespace chorus::test
