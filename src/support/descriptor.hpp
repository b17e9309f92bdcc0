#pragma once
// A connected socket between two event loops.

#include <unistd.h>
#include <utility>

#include "support/asio.hpp"

namespace chorus {

/// Owns a descriptor that no `io_context` knows of; so it may cross threads, and what never arrives is closed.
class descriptor {
 public:
  /// Takes it out of the socket's `io_context`. Throws `system_error`.
  explicit descriptor(tcp_socket&& from) : protocol_(from.local_endpoint().protocol()), number_(from.release()) {}
  descriptor(descriptor&& other) noexcept : protocol_(other.protocol_), number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ != -1) ::close(number_);
  }

  /// Into another one, where it does not block. Throws `system_error`.
  tcp_socket into(executor ex) && {
    tcp_socket socket(ex);
    socket.assign(protocol_, number_);
    number_ = -1;
    // Asio forgets it when it releases a socket.
    socket.non_blocking(true);
    return socket;
  }

 private:
  tcp protocol_;
  int number_;
};

inline descriptor detach(tcp_socket&& socket) { return descriptor(std::move(socket)); }

}  // namespace chorus
