#pragma once
// A wake-up call for everyone who waits.

#include "support/signal_channel.hpp"

namespace chorus {

/// `notify_all()` lets all present waiters through, and nobody who comes later: check what is waited for, wait, and
/// check again. On the executor's thread; must outlive the waits, which nobody may cancel: a waiter ends when it is
/// notified.
class condition {
 public:
  explicit condition(executor ex) : waiters_(ex, 0) {}

  /// Each waiter goes on in a turn of its own.
  void notify_all() {
    while (waiters_.try_send(error_code{})) {
    }
  }

  awaitable<void> wait() { co_await waiters_.async_receive(use_awaitable); }

 private:
  signal_channel waiters_;  ///< holds nothing: a message goes to who waits, or to nobody
};

}  // namespace chorus
