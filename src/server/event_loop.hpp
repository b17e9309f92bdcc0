#pragma once
// Turn by turn: how a thread runs.

#include <boost/asio/executor_work_guard.hpp>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include "server/logging.hpp"
#include "server/settings.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Runs until there is nothing more to do. If `slow_turn` is not 0, turns that take more CPU time are logged: meanwhile
/// nobody else is served. What is thrown in a turn leaves it; it may be called again.
void run_turns(net::io_context& io, duration slow_turn, logger& log);

/// An event loop with a thread of its own. Owned by who outlives all that runs in it; the owner's thread only.
class event_loop {
 public:
  /// Throws `system_error` if the system has no descriptors for it.
  event_loop();
  ~event_loop() { halt(); }

  executor get_executor() { return io_.get_executor(); }

  /// Begins a thread with that name (of 15 characters at most). `failed` is told there of what leaves a turn; the loop
  /// goes on. Throws `system_error` if the system has no thread.
  void start(std::string const& name, duration slow_turn, logger& log, std::function<void(std::exception_ptr)> failed);
  /// Returns when it has done all that there is to do, or, the second, in the middle of that.
  void finish();
  void halt();

 private:
  net::io_context io_;
  net::executor_work_guard<executor> keeps_running_;
  std::thread thread_;
};

}  // namespace chorus
