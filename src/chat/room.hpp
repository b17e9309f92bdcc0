#pragma once
// A room and its members.

#include <cstddef>
#include <cstdint>
#include <string>

#include "chat/broadcaster.hpp"

namespace chorus {

/// A log, the audience that hears it, and the broadcaster between them. Owned by the server, outlives its members;
/// executor's thread only.
class room {
 public:
  explicit room(executor ex) : log_(ex), audience_(ex) {}

  std::size_t users() const { return audience_.size(); }

  /// Broadcasts until the room is closed and everything that was said has gone out.
  awaitable<void> run() { return broadcast(log_, audience_); }

  /// True while so much waits to be broadcast that nobody should say more.
  bool is_behind() const { return log_.full(); }
  awaitable<void> wait_while_behind() { return log_.wait_while_full(); }

  /// Returns when all that is said by now has been pushed to everyone, or the room is closed.
  awaitable<void> caught_up() { return log_.caught_up(); }

  /// What is said from now on is dropped.
  void close() { log_.close(); }

 private:
  friend class member;

  event_log log_;
  audience audience_;
  std::uint64_t named_ = 0;  ///< members up to now
};

/// Membership of a room, from construction to destruction, under the next of the names `user0`, `user1`, ... Joining
/// pushes the greeting, so it is the first thing that the member receives; leaving is silent. The room, the dialect and
/// the channel must outlive it.
class member {
 public:
  member(room& in, dialect const& speaks, outbound_channel& out);

  std::string const& name() const { return name_; }

  /// Appends to the room's log. Every member, this one included, will receive it.
  void say(std::string text);

 private:
  room& room_;
  std::string name_;
  audience::place place_;
};

}  // namespace chorus
