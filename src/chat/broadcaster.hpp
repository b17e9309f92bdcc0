#pragma once
// From a room's log to its audience.

#include "chat/audience.hpp"
#include "chat/event_log.hpp"

namespace chorus {

/// Fans out what the log yields until it is closed and read to its end. If it fails, the log is closed: nobody is to
/// wait for a broadcaster that is gone.
inline awaitable<void> broadcast(event_log& from, audience& to) {
  try {
    for (;;) {
      auto const events = co_await from.next();
      if (events.empty()) co_return;
      co_await to.fan_out(events);
    }
  } catch (...) {
    from.close();
    throw;
  }
}

}  // namespace chorus
