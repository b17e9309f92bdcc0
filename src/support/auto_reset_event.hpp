#pragma once
// A wake-up call for one waiting coroutine.

#include "support/signal_channel.hpp"

namespace chorus {

/// `set()` lets one `wait()` through, the pending one or else the next one; setting it twice before that counts once.
/// One waiter at a time, on the executor's thread. Must outlive the wait.
class auto_reset_event {
 public:
  explicit auto_reset_event(executor ex) : channel_(ex, 1) {}

  void set() { channel_.try_send(error_code{}); }

  /// Returns at the next `set()`, or at once if it was set since the last wait. Throws `system_error` only when the
  /// waiting coroutine itself is cancelled.
  awaitable<void> wait() { co_await channel_.async_receive(use_awaitable); }

 private:
  signal_channel channel_;
};

}  // namespace chorus
