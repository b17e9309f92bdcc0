#pragma once
// What travels through outbound channels: bytes that are encoded once and shared by all who get them.

#include <cstdint>
#include <memory>
#include <string>

namespace chorus {

/// A closed range of sequence numbers in a room's total order, and how many of these events are messages. Empty when
/// `last` is 0, since `seq` starts at 1.
struct event_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t messages = 0;

  bool empty() const { return last == 0; }
  friend bool operator==(event_range const&, event_range const&) = default;
};

/// One or more whole WebSocket frames (or, before the connection is upgraded, part of an HTTP response). Immutable once
/// it is shared.
struct packet {
  std::string bytes;
  event_range events = {};  ///< what it carries of its room; empty for what is never dropped: greetings, answers,
                            ///< control frames
};

using packet_ptr = std::shared_ptr<packet const>;

inline packet_ptr make_packet(std::string bytes, event_range events = {}) {
  return std::make_shared<packet const>(packet{std::move(bytes), events});
}

}  // namespace chorus
