#pragma once
// Fan-out: from a room's log to every member's outbound channel.

#include <cstddef>
#include <vector>

#include "chat/event_log.hpp"
#include "protocol/dialect.hpp"
#include "support/outbound_channel.hpp"

namespace chorus {

/// Encodes every batch once per dialect and pushes the same packet to all who speak it. It never waits for a peer.
///
/// Owned by a room; members are added and removed on the executor's thread, in between batches, which no fan-out
/// suspends in.
class broadcaster {
 public:
  /// From the next batch on, `out` receives what is broadcast, encoded in `speaks`. Both must stay until `remove`.
  void add(dialect const& speaks, outbound_channel& out);
  void remove(dialect const& speaks, outbound_channel& out);

  /// Everyone who is added, whatever they speak.
  std::size_t size() const;

  /// Fans out what the log yields until it is closed and read to its end.
  awaitable<void> run(event_log& from);

 private:
  struct audience {
    dialect const* speaks;
    std::vector<outbound_channel*> members;
  };

  void fan_out(batch const& events);

  std::vector<audience> audiences_;
};

}  // namespace chorus
