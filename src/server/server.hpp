#pragma once
// The whole server: it owns everything, and ends everything.

#include <memory>
#include <spdlog/logger.h>

#include "server/context.hpp"
#include "server/listener.hpp"
#include "server/settings.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// Listens from construction, serves while `run` does. Executor's thread only, but for the constructor: to stop from
/// another thread, post. Destroy it after `run` has returned.
class server {
 public:
  /// Throws `runtime_error` that says why if the address cannot be listened on.
  server(executor ex, settings const& options, std::shared_ptr<spdlog::logger> log);

  /// Where it listens, with the real port if the options ask for port 0.
  tcp::endpoint local_endpoint() const { return listener_.local_endpoint(); }

  /// Serves until it is stopped. When it returns, every coroutine has ended and every descriptor is closed.
  awaitable<void> run();

  /// Stops in good order: accepts nobody, delivers what was said, tells every peer (1012) and waits for them, at most
  /// for the drain timeout. Safe to call twice.
  void stop();

  /// Stops now: whoever is left is told (1001) if it fits without waiting, and cut off.
  void abort();

 private:
  awaitable<void> serve(tcp_socket socket, tcp::endpoint from);
  awaitable<void> drain();
  awaitable<void> abort_at_deadline();

  executor executor_;
  std::shared_ptr<spdlog::logger> log_;
  context shared_;
  listener listener_;
  auto_reset_event stop_asked_;
  task_group inflow_;  ///< accept loop and broadcaster: they end by themselves when what they read from is closed
  task_group upkeep_;  ///< heartbeat and drain deadline: cancelled last
};

}  // namespace chorus
