#pragma once
// The seam between those who want something and the one order in which it happens; broadcaster.hpp reads it.

#include <vector>

#include "chat/draft.hpp"
#include "support/asio.hpp"

namespace chorus {

/// What a log yields: entries in order, consecutive with those before, and drafts that have got no place, of each
/// member those before its entries. Both empty only at its end.
struct log_batch {
  std::vector<log_entry> entries = {};
  std::vector<draft> failed = {};

  bool at_end() const { return entries.empty() && failed.empty(); }
};

/// Gives every draft of a room its place. Each one that is appended comes back from `next`, as an entry or as failed,
/// and the drafts of one member in their order. memory_log.hpp has the usual one; it may as well be far away, late, and
/// shared with other machines.
///
/// Owned by a room. Appended to by its members' read loops, read by its broadcaster, all on one executor's thread.
class event_log {
 public:
  virtual ~event_log() = default;

  /// Never waits and does not say what came of it. Dropped after `close`.
  virtual void append(draft wanted) = 0;

  /// Waits until there is something, and for what is right behind it. One reader; by asking for more it says that it is
  /// done with the last batch.
  virtual awaitable<log_batch> next() = 0;

  /// Ends the log: what was appended can still be read.
  virtual void close() = 0;
};

}  // namespace chorus
