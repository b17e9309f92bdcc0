#pragma once
// When each message was sent, for receivers on all threads.

#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

#include "bench/stamp.hpp"
#include "support/asio.hpp"

namespace chorus::bench {

/// Grows without a lock, and nothing in it ever moves, so that a receiver may look while a sender on another thread
/// goes on. Outlives whoever uses it.
class send_times {
 public:
  explicit send_times(std::size_t senders) : senders_(senders) {}

  /// The sender's next message is sent, with a latency that counts from `at`. A sender has one thread.
  void record(message_id id, clock::time_point at);
  /// When that message was sent, or `never`. From any thread. Called for every delivery, and an `optional` would show.
  clock::time_point at(message_id id) const;
  static constexpr clock::time_point never{};

 private:
  using instant = std::atomic<clock::time_point>;

  /// Each block is as long as all before it together: number n is in the block that its bit width says.
  struct sender {
    sender() = default;
    sender(sender const&) = delete;
    sender& operator=(sender const&) = delete;
    ~sender();

    std::array<std::atomic<instant*>, 32> blocks{};  ///< more than the eight digits of a stamp need
  };

  std::vector<sender> senders_;
};

}  // namespace chorus::bench
