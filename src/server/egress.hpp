#pragma once
// How Boost.Beast and our own frames share a socket.

#include <boost/asio/append.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/role.hpp>
#include <utility>

#include "protocol/frame.hpp"
#include "support/outbound_channel.hpp"
#include "support/transport.hpp"

namespace chorus {

/// An AsyncStream between a `websocket::stream` and its transport. Reads pass through. A write (the handshake's reply,
/// a pong, a close frame: what Beast sends by itself) becomes a packet in the session's outbound channel and completes
/// when that has gone to the socket; so there is one writer, one order, and no bytes of ours inside a frame of Beast's
/// or the other way round.
///
/// A close frame is the last packet, whoever sends it first: when ours is already on its way, Beast's is swallowed, but
/// waited for. Owned by the session together with the channel, which must outlive it.
template <transport Transport>
class egress {
 public:
  using next_layer_type = Transport;
  using executor_type = typename Transport::executor_type;

  egress(Transport transport, outbound_channel& out) : transport_(std::move(transport)), out_(out) {}

  executor_type get_executor() { return transport_.get_executor(); }
  Transport& next_layer() { return transport_; }

  template <class MutableBuffers, class Token>
  auto async_read_some(MutableBuffers const& buffers, Token&& token) {
    return transport_.async_read_some(buffers, std::forward<Token>(token));
  }

  template <class ConstBuffers, class Token>
  auto async_write_some(ConstBuffers const& buffers, Token&& token) {
    auto const packet = make_packet(boost::beast::buffers_to_string(buffers));
    if (is_close_frame(packet->bytes)) {
      out_.seal(packet);
    } else {
      out_.push(packet);
    }
    return out_.async_flush(net::append(std::forward<Token>(token), packet->bytes.size()));
  }

 private:
  Transport transport_;
  outbound_channel& out_;
};

/// Beast's hook for the end of the closing handshake. The close frame is flushed by now, since Beast awaited it. Only
/// FIN is sent here: the session waits for the peer's, after it has left its room.
template <transport Transport, class Handler>
void async_teardown(boost::beast::role_type, egress<Transport>& stream, Handler&& handler) {
  error_code ec;
  stream.next_layer().shutdown(Transport::shutdown_send, ec);
  net::post(stream.get_executor(), boost::beast::bind_front_handler(std::forward<Handler>(handler), ec));
}

}  // namespace chorus
