#pragma once
// A room without a directory, and those who are in it, without a network.

#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chat/member.hpp"
#include "chat/memory_log.hpp"
#include "chat/room.hpp"
#include "fake_sink.hpp"
#include "plain_dialect.hpp"
#include "run.hpp"
#include "support/slices.hpp"

namespace chorus::test {

inline constexpr auto unlimited = std::numeric_limits<std::size_t>::max();

/// A message of this size is a whole slice by itself.
inline constexpr std::size_t slice_of_bytes = 8 * 1024 * slice;

/// Runs a room, and lets what leaves it leave the `io_context`.
struct room_starter final : room::runner {
  net::io_context& io;
  int times = 0;
  bool starting = false;  ///< outside of the `io_context` no coroutine begins at once

  explicit room_starter(net::io_context& by) : io(by) {}

  void start(room& of) override {
    if (!std::exchange(starting, true)) start_later(io, run(of));
  }

  awaitable<void> run(room& of) {
    starting = false;
    ++times;
    co_await of.run();
  }
};

/// Where there is one shard nothing crosses.
struct no_courier final : courier {
  void submit(shard_id, std::uint64_t, submission) override { throw std::logic_error("a submission to nowhere"); }
  void deliver(shard_id, std::uint64_t, delivery) override { throw std::logic_error("a delivery to nowhere"); }
};

/// A room on the only shard, whose clock stands still.
struct running_room {
  using log_factory = std::function<std::unique_ptr<event_log>(executor)>;
  static constexpr std::uint64_t epoch = 1000;

  net::io_context io;
  room_settings options;
  plain_dialect plain;
  terse_dialect terse;
  room_commons commons{io.get_executor(),        options,  dialect_table{terse, plain}, [] { return std::int64_t{0}; },
                       history_memory(0, [] {}), {1, 2, 0}};
  room_starter starter{io};
  no_courier alone;
  room lobby;

  explicit running_room(room_settings const& settings = {}, log_factory const& make_log = in_memory)
      : running_room(settings, make_log, alone) {}
  running_room(room_settings const& settings, log_factory const& make_log, courier& to_others)
      : options(settings), lobby(commons, {"lobby", epoch}, make_log(io.get_executor()), starter, to_others) {}

  static std::unique_ptr<event_log> in_memory(executor ex) { return std::make_unique<memory_log>(ex); }
};

/// A peer whose gaps are told in its own dialect.
struct speaking_sink final : fake_sink {
  dialect const* speaks = nullptr;

  packet_ptr gap_notice(event_range missed) override { return make_packet(speaks->gap(missed)); }
};

/// A member, with a socket that takes everything at first.
struct user final : recipient {
  dialect_id const dialect;
  speaking_sink peer;
  outbound_channel channel;
  std::string name;                    ///< as it was told
  int greetings = 0;                   ///< that it was told of
  std::vector<draft> refused;          ///< that the log did not take
  std::vector<std::uint64_t> answers;  ///< to its questions: how many events of the past each has
  int times_unburdened = 0;
  int failures = 0;  ///< of answers
  std::optional<member> in;
  member_id id;

  explicit user(audience& at, join_request const& wishes = {}, dialect_id speaks = json,
                std::size_t limit = 1024 * 1024)
      : dialect(speaks), channel(at.commons().ex, limit, peer) {
    peer.room = unlimited;
    peer.speaks = &at.commons().dialects[speaks];
    in.emplace(at, *this, wishes);
    id = at.commons().last_member;
  }
  explicit user(running_room& at, join_request const& wishes = {}, dialect_id speaks = json,
                std::size_t limit = 1024 * 1024)
      : user(at.lobby.here(), wishes, speaks, limit) {}

  void say(std::string what) { in->say(std::move(what), {}); }
  void ask_users() { in->ask(chorus::ask_users{}); }
  void ask_replay(std::uint64_t from, std::uint64_t to) { in->ask(replay{from, to}); }
  void leave() { in.reset(); }

  /// What it was sent since the last time that this was asked.
  std::string news() { return std::exchange(peer.written, {}); }

  outbound_channel& out() override { return channel; }
  dialect_id speaks() const override { return dialect; }
  void greeted(std::string const& as, std::size_t) noexcept override {
    ++greetings;
    name = as;
  }
  void renamed(std::string const& to) noexcept override { name = to; }
  void not_taken(draft const& wanted) noexcept override { refused.push_back(wanted); }
  void answered(std::uint64_t events) noexcept override { answers.push_back(events); }
  void unburdened() noexcept override { ++times_unburdened; }
  void failed(std::exception_ptr) noexcept override { ++failures; }
};

inline join_request with_history(std::uint64_t messages) {
  join_request wishes;
  wishes.history = messages;
  return wishes;
}

inline join_request named(std::string name) {
  join_request wishes;
  wishes.name = std::move(name);
  return wishes;
}

/// Presence is told of two members at most.
struct quiet_room : running_room {
  quiet_room() : running_room({.announce_limit = 2}) {}
};

struct no_history_room : running_room {
  no_history_room() : running_room({.history_messages = 0}) {}
};

struct short_history_room : running_room {
  short_history_room() : running_room({.history_messages = 2}) {}
};

inline awaitable<void> catch_up(room& with, bool& done) {
  co_await with.caught_up();
  done = true;
}

}  // namespace chorus::test
