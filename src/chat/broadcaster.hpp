#pragma once
// From a room's log to its audience.

#include <memory>

#include "chat/audience.hpp"
#include "chat/event_log.hpp"

namespace chorus {

/// Fans out what the log yields until it is closed and read to its end. However it ends, the log is closed then: nobody
/// is to wait for a broadcaster that is gone.
inline awaitable<void> broadcast(event_log& from, audience& to) {
  auto const close = [](event_log* log) { log->close(); };
  std::unique_ptr<event_log, decltype(close)> const closed_at_end(&from, close);
  for (;;) {
    auto const events = co_await from.next();
    if (events.empty()) co_return;
    co_await to.fan_out(events);
  }
}

}  // namespace chorus
