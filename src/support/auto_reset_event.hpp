#pragma once
// Wake-up calls: for one waiting coroutine, and for all that wait.

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
  auto wait() { return channel_.async_receive(net::deferred); }

 private:
  signal_channel channel_;
};

/// `notify_all()` lets all present waiters through, and nobody who comes later: check what is waited for, wait, and
/// check again. On the executor's thread; must outlive the waits, which nobody may cancel: a waiter ends when it is
/// notified.
class condition {
 public:
  explicit condition(executor ex) : waiters_(ex, 0) {}

  /// Each waiter goes on in a turn of its own. True if there was one.
  bool notify_all() {
    auto found = false;
    while (waiters_.try_send(error_code{})) found = true;
    return found;
  }

  auto wait() { return waiters_.async_receive(net::deferred); }

 private:
  signal_channel waiters_;  ///< holds nothing: a message goes to who waits, or to nobody
};

}  // namespace chorus
