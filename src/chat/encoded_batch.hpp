#pragma once
// A batch of events, and how it is said in each dialect.

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "protocol/dialect.hpp"
#include "protocol/event.hpp"
#include "support/packet.hpp"

namespace chorus {

/// Encodes its events when somebody who speaks a dialect is to get them, once for all of them.
class encoded_batch {
 public:
  /// `events` are not empty; the dialects outlive it.
  encoded_batch(batch events, dialect_table const& dialects);

  batch const& events() const { return events_; }
  std::uint64_t first() const { return events_.front().seq; }
  std::uint64_t last() const { return events_.back().seq; }
  std::uint64_t messages() const { return messages_; }

  /// The events as one packet; null if none of them is announced in that dialect.
  packet_ptr const& in(dialect_id dialect);
  /// The events from `seq` on, at least one, as a packet of their own.
  packet_ptr from(std::uint64_t seq, dialect_id dialect) const;

  /// What it takes in memory, in bytes.
  std::size_t size() const { return size_; }

 private:
  struct encoding {
    bool done = false;
    packet_ptr packet = nullptr;
  };

  batch events_;
  std::uint64_t messages_;
  dialect_table const& dialects_;
  std::array<encoding, dialect_count> encoded_;
  std::size_t size_;
};

}  // namespace chorus
