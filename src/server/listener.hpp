#pragma once
// Where connections come from; they go on in negotiation.hpp.

#include <functional>
#include <string_view>

#include "server/inherited_sockets.hpp"
#include "server/logging.hpp"
#include "support/asio.hpp"

namespace chorus {

/// A listening socket and its accept loop. Owned by the server; executor's thread only; `run` must have ended before it
/// is destroyed.
class listener {
 public:
  /// Takes the inherited socket of that name; if there is none, binds to `at` and listens. The kernel takes
  /// `unsent_limit` bytes for each peer that it cannot send yet, 0 is the system's default. Throws `runtime_error` that
  /// says why if the address cannot be had, or the inherited socket is not one of TCP.
  listener(executor ex, tcp::endpoint const& at, inherited_sockets& inherited, std::string_view name,
           std::size_t unsent_limit, logger& log);

  tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

  /// What is accepted. An exception is that connection's alone.
  using handler = std::function<void(tcp_socket, tcp::endpoint const& from)>;
  /// Asked when there are no descriptors: gives one back and returns true, or has none to give.
  using reliever = std::function<bool()>;

  /// Accepts and hands over until `close`. Errors of single connections are skipped; when the system is out of
  /// descriptors or memory and nobody relieves it, it pauses, up to a second, and goes on.
  awaitable<void> run(handler accepted, reliever give_back);

  /// Stops listening and ends `run`.
  void close();

 private:
  void listen(tcp::endpoint const& at, error_code& ec);
  void adopt(int descriptor, error_code& ec);
  void hand_over(handler const& to, tcp_socket socket, tcp::endpoint const& from);
  void warn(error_code ec);
  awaitable<void> back_off();

  logger& log_;
  tcp_acceptor acceptor_;
  timer pause_;
  clock::duration next_pause_;
  clock::time_point next_warning_;
};

}  // namespace chorus
