#pragma once
// What carries a connection's bytes.

#include <boost/asio/buffer.hpp>
#include <concepts>
#include <cstddef>
#include <utility>

#include "support/asio.hpp"
#include "support/descriptor.hpp"

namespace chorus {

/// What negotiation and session ask of a connection: that of TCP, as it is, or with TLS on it (tls/tls_socket.hpp). It
/// is a stream of bytes, non-blocking from the beginning, with
/// - one read and one write under way at a time, which complete with what could be had at once, at least a byte, and
///   with `net::error::eof` when the peer has ended the stream;
/// - `send`, a write that never waits: it takes what fits, perhaps nothing, even while a write is under way;
/// - `shutdown`, which says that no more bytes come and leaves reading as it is; `cancel`, which ends what is under
/// way,
///   and `close`, which ends everything. None of these waits.
/// - `detach`, found by its argument: what it returns may go to another thread, and becomes the same connection there.
template <class T>
concept transport = std::move_constructible<T> && requires(T& of, net::mutable_buffer to, net::const_buffer from,
                                                           error_code& ec, executor elsewhere) {
  typename T::executor_type;
  { of.get_executor() } -> std::convertible_to<executor>;
  of.async_read_some(to, nothrow);
  of.async_write_some(from, nothrow);
  { of.send(from, int{}, ec) } -> std::same_as<std::size_t>;
  of.shutdown(T::shutdown_send, ec);
  of.cancel(ec);
  of.close(ec);
  { of.native_handle() } -> std::same_as<int>;
  { detach(std::move(of)).into(elsewhere) } -> std::same_as<T>;
};

static_assert(transport<tcp_socket>);

}  // namespace chorus
