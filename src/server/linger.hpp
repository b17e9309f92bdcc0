#pragma once
// Ending a connection without losing the last words.

#include <array>
#include <boost/asio/buffer.hpp>
#include <memory>
#include <tuple>

#include "support/transport.hpp"

namespace chorus {

/// Sends FIN, then reads and discards until the peer ends too. Closing with unread input would make the kernel send
/// RST, and that can destroy what the peer has not read yet (RFC 9112 section 9.6). Ends when the socket is closed;
/// whoever calls it sets a deadline.
template <transport Transport>
awaitable<void> linger(Transport& socket) {
  error_code ec;
  socket.shutdown(Transport::shutdown_send, ec);
  auto const discarded = std::make_unique<std::array<char, 4096>>();
  while (!ec) {
    auto const result = co_await socket.async_read_some(net::buffer(*discarded), nothrow);
    ec = std::get<0>(result);
  }
}

}  // namespace chorus
