#pragma once
// A room and its members.

#include <cstddef>
#include <string>

#include "chat/broadcaster.hpp"
#include "chat/event_log.hpp"

namespace chorus {

/// A log and the broadcaster that empties it. Owned by the server, outlives its members; executor's thread only.
class room {
 public:
  explicit room(executor ex) : log_(ex) {}

  std::size_t users() const { return broadcaster_.size(); }

  /// Broadcasts until the room is closed and everything that was said has gone out.
  awaitable<void> run() { return broadcaster_.run(log_); }

  /// What is said from now on is dropped.
  void close() { log_.close(); }

 private:
  friend class member;

  event_log log_;
  broadcaster broadcaster_;
};

/// Membership of a room, from construction to destruction. Joining pushes the greeting, so it is the first thing that
/// the member receives; leaving is silent. The room, the dialect and the channel must outlive it.
class member {
 public:
  member(room& in, std::string name, dialect const& speaks, outbound_channel& out);
  member(member const&) = delete;
  member& operator=(member const&) = delete;
  ~member();

  std::string const& name() const { return name_; }

  /// Appends to the room's log. Every member, this one included, will receive it.
  void say(std::string text);

 private:
  room& room_;
  std::string name_;
  dialect const& dialect_;
  outbound_channel& out_;
};

}  // namespace chorus
