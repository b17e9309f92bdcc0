#pragma once
// A TCP connection for a thread that has nothing else to do.

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "support/asio.hpp"
#include "tls/tls_socket.hpp"

namespace chorus::bench {

/// Its calls block until they are done or their deadline has passed. Everything on one thread, but `interrupt`.
class blocking_socket {
 public:
  blocking_socket() : socket_(tcp_socket(io_.get_executor())) {}

  /// Throws `check_failed`, also at the deadline.
  void connect(tcp::endpoint const& to, clock::time_point deadline);
  /// From then on what is sent and received goes through TLS. Throws `check_failed`, also at the deadline.
  void secure(tls_context& with, std::string const& host, clock::time_point deadline);
  /// Sends all of it. Throws `check_failed`, also at the deadline.
  void send(std::string_view bytes, clock::time_point deadline);

  struct arrival {
    std::size_t bytes = 0;
    /// When the last of them came to this machine, however late this thread got round to it; with TLS, when it did.
    clock::time_point at;
  };
  /// What is there, or else what comes first; nothing at the deadline. Throws `check_failed` when the connection ends.
  std::optional<arrival> receive(net::mutable_buffer into, clock::time_point deadline);

  /// From any thread, while connected: ends the connection, so that calls that block throw.
  void interrupt();

 private:
  arrival receive_plain(net::mutable_buffer into);
  arrival receive_secure(net::mutable_buffer into);
  bool wait(short for_what, clock::time_point deadline);

  net::io_context io_{1};  ///< never runs
  tls_socket socket_;
};

/// When on the steady clock it was `stamp` on the wall clock, given what both show now. No later than `now`, whatever
/// has been done to the wall clock.
clock::time_point steady_time_of(std::timespec stamp, std::chrono::system_clock::time_point wall,
                                 clock::time_point now);

}  // namespace chorus::bench
