#pragma once
// A TCP connection with TLS on it.

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <utility>

#include "support/asio.hpp"
#include "support/descriptor.hpp"
#include "tls/tls_context.hpp"

namespace chorus {

/// OpenSSL's state of one connection. It works on the socket's descriptor itself, so it may go wherever that goes.
struct tls_session_deleter {
  void operator()(SSL* session) const { SSL_free(session); }
};
using tls_session = std::unique_ptr<SSL, tls_session_deleter>;

class detached_tls_socket;

/// A `transport` (support/transport.hpp): a socket whose bytes are those of TLS, once `accept_tls` or `connect_tls` has
/// been called. Until then they go as they are, at no cost, for those who learn at run time which it is to be.
///
/// Not `asio::ssl::stream`: that keeps 34 KiB of buffers for each connection, cannot change its executor, and has no
/// write that never waits. Here OpenSSL reads and writes the non-blocking socket itself, Asio only waits until it is
/// ready, and an idle connection has no buffers.
///
/// Executor's thread only. It must stay where it is while something is under way. An error of TLS ends the connection:
/// from then on everything fails.
class tls_socket {
 public:
  using next_layer_type = tcp_socket;
  using executor_type = tcp_socket::executor_type;
  static constexpr auto shutdown_send = tcp_socket::shutdown_send;

  explicit tls_socket(tcp_socket connected, tls_session session = nullptr)
      : socket_(std::move(connected)), session_(std::move(session)) {}

  executor_type get_executor() { return socket_.get_executor(); }
  int native_handle() { return socket_.native_handle(); }
  /// For what TLS changes nothing about.
  tcp_socket& next_layer() { return socket_; }
  bool is_secure() const { return session_ != nullptr; }

  /// Puts TLS on the socket, which must be connected, in the role of a server (RFC 8446 section 2). Throws
  /// `system_error` if there is no memory.
  void accept_tls(tls_context& with);
  /// The same in the role of a client, who expects a certificate for `host`, a name or an IP address, if the context
  /// verifies.
  void connect_tls(tls_context& with, std::string const& host);

  /// Why a handshake has failed, for people.
  std::string explain(error_code ec) const;

  /// Completes with `void(error_code)`, when both sides have agreed. Whoever calls it sets a deadline.
  template <net::completion_token_for<void(error_code)> Token>
  auto async_handshake(Token&& token) {
    return net::async_initiate<Token, void(error_code)>(
        [this](auto handler) {
          auto const step = [this](error_code& ec) {
            handshake(ec);
            return std::size_t{};
          };
          repeat<void(error_code)>(handler, step, [](auto& self, error_code ec, std::size_t) { self.complete(ec); });
        },
        token);
  }

  template <class MutableBuffers, net::completion_token_for<void(error_code, std::size_t)> Token>
  auto async_read_some(MutableBuffers const& buffers, Token&& token) {
    return net::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, MutableBuffers const& to) {
          if (!session_) return socket_.async_read_some(to, std::move(handler));
          auto const step = [this, first = first_of(to)](error_code& ec) { return read_some(first, ec); };
          repeat<void(error_code, std::size_t)>(handler, step, complete);
        },
        token, buffers);
  }

  template <class ConstBuffers, net::completion_token_for<void(error_code, std::size_t)> Token>
  auto async_write_some(ConstBuffers const& buffers, Token&& token) {
    return net::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, ConstBuffers const& from) {
          if (!session_) return socket_.async_write_some(from, std::move(handler));
          auto const step = [this, from](error_code& ec) { return write_some(from, ec); };
          repeat<void(error_code, std::size_t)>(handler, step, complete);
        },
        token, buffers);
  }

  // What never waits fails with `would_block` where it would have to. Then the socket is to be waited for, as `awaits`
  // says.

  void handshake(error_code& ec);
  /// At least one byte, or the reason why not.
  std::size_t read_some(net::mutable_buffer to, error_code& ec);
  /// How many bytes it took. While a record is encrypted and the socket has not taken it, nothing: then only
  /// `async_write_some` may go on, with what was not taken.
  std::size_t send(net::const_buffer from, int flags, error_code& ec);
  tcp_socket::wait_type awaits() const { return awaits_; }

  /// Says that no more bytes come (RFC 8446 section 6.1), once, if that fits.
  void close_notify();
  /// The same, then FIN.
  void shutdown(tcp_socket::shutdown_type what, error_code& ec);
  void cancel(error_code& ec) { socket_.cancel(ec); }
  /// Says `close_notify`, then closes the socket.
  void close(error_code& ec);

 private:
  friend detached_tls_socket;

  /// One record of TLS.
  static constexpr std::size_t record_size = SSL3_RT_MAX_PLAIN_LENGTH;

  static constexpr auto complete = [](auto& self, error_code ec, std::size_t bytes) { self.complete(ec, bytes); };

  template <class Buffers>
  static auto first_of(Buffers const& all) {
    using buffer = std::decay_t<decltype(*net::buffer_sequence_begin(all))>;
    auto const end = net::buffer_sequence_end(all);
    auto const found =
        std::find_if(net::buffer_sequence_begin(all), end, [](buffer const& one) { return one.size() != 0; });
    return found == end ? buffer() : buffer(*found);
  }

  /// Tries a step, and again whenever the socket is ready for it.
  template <class Signature, class Handler, class Step, class Finish>
  void repeat(Handler& handler, Step step, Finish finish) {
    auto attempt = [this, step, finish, waited = false, done = false, ec = error_code(), bytes = std::size_t{}](
                       auto& self, error_code failed = {}) mutable {
      if (done) return finish(self, ec, bytes);
      ec = failed;
      if (!ec) bytes = step(ec);
      if (ec == net::error::would_block) {
        waited = true;
        return socket_.async_wait(awaits_, std::move(self));
      }
      if (waited) return finish(self, ec, bytes);
      // Never from within the call that starts it.
      done = true;
      net::post(socket_.get_executor(), std::move(self));
    };
    net::async_compose<Handler, Signature>(std::move(attempt), handler, socket_);
  }

  /// Several small ones share a record. OpenSSL copies what it encrypts, so the room for them is no connection's own.
  template <class Buffers>
  std::size_t write_some(Buffers const& from, error_code& ec) {
    auto const first = first_of(from);
    if (first.size() >= record_size || first.size() == net::buffer_size(from)) return write(first, ec);
    thread_local std::array<char, record_size> together;
    return write(net::buffer(together, net::buffer_copy(net::buffer(together), from)), ec);
  }

  std::size_t write(net::const_buffer from, error_code& ec);
  error_code unusable() const;
  bool judge(int result, error_code& ec);
  void put_tls(tls_context& with);

  tcp_socket socket_;
  tls_session session_;
  tcp_socket::wait_type awaits_ = tcp_socket::wait_read;
  bool write_pending_ = false;  ///< OpenSSL has a record that the socket has not taken
  error_code failed_;
};

/// A `tls_socket` between two event loops. Nothing is under way.
class detached_tls_socket {
 public:
  explicit detached_tls_socket(tls_socket&& from)
      : socket_(std::move(from.socket_)), session_(std::move(from.session_)) {}

  /// Throws `system_error`.
  tls_socket into(executor ex) && { return tls_socket(std::move(socket_).into(ex), std::move(session_)); }

 private:
  descriptor socket_;
  tls_session session_;
};

inline detached_tls_socket detach(tls_socket&& socket) { return detached_tls_socket(std::move(socket)); }

}  // namespace chorus
