#pragma once
// The log of a room that lives in one process.

#include <cstdint>
#include <list>

#include "chat/event_log.hpp"
#include "support/auto_reset_event.hpp"

namespace chorus {

/// A draft's place is the order in which it was appended; none ever fails.
class memory_log final : public event_log {
 public:
  /// What is said in a batch does not grow over this size, so that one packet stays well below any outbound limit.
  static constexpr std::size_t max_batch_bytes = 64 * 1024;

  explicit memory_log(executor ex) : executor_(ex), appended_(ex) {}

  void append(draft wanted) override;
  /// A single large message may exceed `max_batch_bytes`.
  awaitable<log_batch> next() override;
  void close() override;

 private:
  int turns_to_wait() const;
  /// The first batch will not grow any more.
  bool is_ready() const;
  log_batch take();

  executor executor_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t last_say_ = 0;   ///< of the last entry in which somebody speaks
  std::uint64_t taken_seq_ = 0;  ///< of the last entry that the reader has got
  std::list<std::vector<log_entry>> pending_;
  std::size_t last_batch_bytes_ = 0;  ///< of the batch that still grows
  bool closed_ = false;
  auto_reset_event appended_;
};

}  // namespace chorus
