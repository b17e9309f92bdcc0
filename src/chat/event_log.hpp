#pragma once
// The total order of a room's events: between those who speak and the broadcaster.

#include <boost/container/deque.hpp>
#include <cstdint>

#include "protocol/event.hpp"
#include "support/auto_reset_event.hpp"

namespace chorus {

/// Gives every event its place and hands them on in batches. In memory; the same operations would do over a shared log.
///
/// Owned by a room. Appended to by its members' read loops, read by its broadcaster, all on one executor's thread.
class event_log {
 public:
  /// A batch does not grow over this size, so that one packet stays well below any outbound limit.
  static constexpr std::size_t max_batch_bytes = 64 * 1024;
  /// So many batches may wait for their reader.
  static constexpr std::size_t max_pending = 16;
  /// Turns of the executor that the log must not grow for. A read loop needs two to three turns per message that is
  /// already here (Beast completes a buffered read by posting): with fewer, nothing ever batches.
  static constexpr int quiet_turns = 4;
  /// Turns after which a batch goes out even if the log still grows: bounds the latency that batching may cost.
  static constexpr int max_turns = 64;

  explicit event_log(executor ex) : executor_(ex), appended_(ex), advanced_(ex) {}

  /// Gives the event the next `seq` and returns it. After `close`, events are dropped and 0 is returned. Never waits:
  /// who produces events looks at `full` first.
  std::uint64_t append(std::string from, std::string text);

  /// True while `max_pending` batches wait.
  bool full() const { return pending_.size() >= max_pending && !closed_; }
  awaitable<void> wait_while_full();

  /// Waits for an event and then for those that are right behind it. Returns them in order; empty when the log is
  /// closed and everything was read. A single large message may exceed `max_batch_bytes`. One reader; by asking for
  /// more it says that it is done with the last batch.
  awaitable<batch> next();

  /// Returns when the reader is done with all that is appended by now, or the log is closed.
  awaitable<void> caught_up();

  /// Ends the log: what was appended can still be read.
  void close();

 private:
  awaitable<void> settle();
  batch take();

  executor executor_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t taken_seq_ = 0;  ///< of the last event that the reader has got
  std::uint64_t done_seq_ = 0;   ///< of the last event that the reader is done with
  boost::container::deque<batch> pending_;
  std::size_t last_batch_bytes_ = 0;  ///< of the batch that still grows
  bool closed_ = false;
  auto_reset_event appended_;
  condition advanced_;  ///< the reader is done with a batch
};

}  // namespace chorus
