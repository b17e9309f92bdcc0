#pragma once
// The events of a room in their order, each once: whatever the connection drops, repeats or brings late.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "client/conversation/server_event.hpp"

namespace chorus {

/// Puts what comes into the room's order, as TCP does with segments. Where the server names a gap, what follows is held
/// until a replay has filled it, so nobody sees a later event first. Pure: no input, no output.
class event_stream {
 public:
  /// So much may be held, in bytes of text; over it the gap is given up: the room talks faster than it can be replayed.
  static constexpr std::size_t most_held = 4 << 20;

  /// What comes from now on follows this place.
  void begin(std::uint64_t epoch, std::uint64_t seq);
  /// The connection is lost, and with it whatever is held: it comes again after `cursor()`.
  void interrupt();

  /// Takes anything that has a place among the events: themselves, gaps, ends of replays, and answers to `users`.
  void push(v1::server_event came);
  /// The open gap will not be filled: the server does not want to.
  void give_up();

  /// The next in order, if it is here. A `gap` is lost for good. What is new since `begin` is there once; what a replay
  /// brings that was seen before, never.
  std::optional<v1::server_event> pop();
  /// The replay that is to be asked for now; then it counts as asked for.
  std::optional<v1::gap> take_request();

  /// `epoch:seq` of the last event before any hole, for `since`; empty before `begin`.
  std::string cursor() const;
  std::uint64_t epoch() const { return epoch_; }

 private:
  void take(v1::server_event came);
  bool belongs_into_hole(v1::server_event const& came) const;
  void fill(v1::server_event came);
  void close_hole();

  std::uint64_t epoch_ = 0;
  std::uint64_t position_ = 0;         ///< everything up to here was told, or is lost
  std::optional<std::uint64_t> hole_;  ///< what is after `position_`, up to and with this, is being replayed
  bool request_ = false;
  std::uint64_t asked_after_ = 0;      ///< the last request was for what follows this
  std::deque<v1::server_event> held_;  ///< what comes after the hole
  std::size_t held_bytes_ = 0;
  std::deque<v1::server_event> ready_;
};

}  // namespace chorus
