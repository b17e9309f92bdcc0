#pragma once
// Where connections come from.

#include <functional>
#include <spdlog/logger.h>

#include "support/asio.hpp"

namespace chorus {

/// A listening socket and its accept loop. Owned by the server; executor's thread only; `run` must have ended before it
/// is destroyed.
class listener {
 public:
  /// Binds and listens. Throws `runtime_error` that says why if the address cannot be had.
  listener(executor ex, tcp::endpoint const& at, spdlog::logger& log);

  tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

  /// Accepts and hands over until `close`. Errors of single connections are skipped; when the system is out of
  /// descriptors or memory, it pauses, up to a second, and goes on.
  awaitable<void> run(std::function<void(tcp_socket, tcp::endpoint const& from)> accepted);

  /// Stops listening and ends `run`.
  void close();

 private:
  awaitable<void> back_off(error_code ec);

  spdlog::logger& log_;
  tcp_acceptor acceptor_;
  timer pause_;
  clock::duration next_pause_;
  clock::time_point next_warning_;
};

}  // namespace chorus
