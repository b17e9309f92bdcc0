#pragma once
// What travels through outbound channels: bytes that are encoded once and shared by all who get them.

#include <cstdint>
#include <memory>
#include <string>

namespace chorus {

/// A closed range of sequence numbers in a room's total order. Empty when `last` is 0, since `seq` starts at 1.
struct seq_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  bool empty() const { return last == 0; }
  std::uint64_t size() const { return empty() ? 0 : last - first + 1; }
};

/// One or more whole WebSocket frames (or, before the connection is upgraded, part of an HTTP response). Immutable once
/// it is shared.
struct packet {
  std::string bytes;
  seq_range events =
      {};  ///< the room events that it carries; empty for greetings and control frames, which are never dropped
};

using packet_ptr = std::shared_ptr<packet const>;

inline packet_ptr make_packet(std::string bytes, seq_range events = {}) {
  return std::make_shared<packet const>(packet{std::move(bytes), events});
}

}  // namespace chorus
