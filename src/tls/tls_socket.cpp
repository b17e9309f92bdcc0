#include "tls/tls_socket.hpp"

#include <bit>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "support/transport.hpp"

namespace chorus {

static_assert(transport<tls_socket>);

namespace {

error_code last_error() {
  auto const code = ERR_get_error();
  if (code == 0) return net::error::connection_reset;
  return {static_cast<int>(code), net::error::get_ssl_category()};
}

// OpenSSL's own way to a socket raises SIGPIPE.

int socket_of(BIO* way) { return static_cast<int>(std::bit_cast<std::intptr_t>(BIO_get_data(way))); }

int receive(BIO* way, char* to, int size) {
  BIO_clear_retry_flags(way);
  auto const bytes = static_cast<int>(::recv(socket_of(way), to, static_cast<std::size_t>(size), 0));
  if (bytes < 0 && BIO_sock_should_retry(bytes) != 0) BIO_set_retry_read(way);
  if (bytes == 0) BIO_set_flags(way, BIO_FLAGS_IN_EOF);
  return bytes;
}

int send(BIO* way, char const* from, int size) {
  BIO_clear_retry_flags(way);
  auto const bytes = static_cast<int>(::send(socket_of(way), from, static_cast<std::size_t>(size), MSG_NOSIGNAL));
  if (bytes < 0 && BIO_sock_should_retry(bytes) != 0) BIO_set_retry_write(way);
  return bytes;
}

long control(BIO* way, int what, long, void*) {
  if (what == BIO_CTRL_EOF) return BIO_test_flags(way, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return what == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* way_to(int socket) {
  static BIO_METHOD* const quiet = [] {
    auto* const made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket");
    BIO_meth_set_read(made, receive);
    BIO_meth_set_write(made, send);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  auto* const way = BIO_new(quiet);
  if (way == nullptr) return nullptr;
  BIO_set_data(way, std::bit_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(way, 1);
  return way;
}

int length_of(std::size_t bytes) { return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX)); }

}  // namespace

void tls_socket::put_tls(tls_context& with) {
  ERR_clear_error();
  session_.reset(SSL_new(with.native_handle()));
  auto* const way = session_ ? way_to(native_handle()) : nullptr;
  if (way == nullptr) throw boost::system::system_error(last_error());
  SSL_set_bio(session_.get(), way, way);
}

void tls_socket::accept_tls(tls_context& with) {
  put_tls(with);
  SSL_set_accept_state(session_.get());
}

void tls_socket::connect_tls(tls_context& with, std::string const& host) {
  put_tls(with);
  SSL_set_connect_state(session_.get());
  error_code is_name;
  net::ip::make_address(host, is_name);
  // Server Name Indication is for names only (RFC 6066 section 3).
  auto const done = is_name ? SSL_set1_host(session_.get(), host.c_str()) == 1 &&
                                  SSL_set_tlsext_host_name(session_.get(), host.c_str()) == 1
                            : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session_.get()), host.c_str()) == 1;
  if (!done) throw boost::system::system_error(last_error());
}

std::string tls_socket::explain(error_code ec) const {
  auto const verdict = SSL_get_verify_result(session_.get());
  if (verdict == X509_V_OK) return ec.message();
  return std::string("the certificate will not do: ") + X509_verify_cert_error_string(verdict);
}

/// Not even OpenSSL is asked: a descriptor that is closed may be another connection's by now.
error_code tls_socket::unusable() const {
  if (failed_) return failed_;
  return socket_.is_open() ? error_code() : error_code(net::error::bad_descriptor);
}

void tls_socket::handshake(error_code& ec) {
  ec = unusable();
  if (ec) return;
  ERR_clear_error();
  judge(SSL_do_handshake(session_.get()), ec);
}

std::size_t tls_socket::read_some(net::mutable_buffer to, error_code& ec) {
  if (!session_) return socket_.read_some(net::buffer(to), ec);
  ec = unusable();
  if (ec || to.size() == 0) return 0;
  ERR_clear_error();
  auto const bytes = SSL_read(session_.get(), to.data(), length_of(to.size()));
  return judge(bytes, ec) ? static_cast<std::size_t>(bytes) : 0;
}

std::size_t tls_socket::send(net::const_buffer from, int flags, error_code& ec) {
  if (!session_) return socket_.send(net::buffer(from), flags, ec);
  if (!write_pending_) return write(from, ec);
  ec = net::error::would_block;
  return 0;
}

/// Record by record, as many as the socket takes.
std::size_t tls_socket::write(net::const_buffer from, error_code& ec) {
  std::size_t written = 0;
  ec = unusable();
  while (!ec && from.size() != 0) {
    ERR_clear_error();
    auto const bytes = SSL_write(session_.get(), from.data(), length_of(from.size()));
    auto const done = judge(bytes, ec) ? static_cast<std::size_t>(bytes) : 0;
    written += done;
    from += done;
  }
  write_pending_ = ec == net::error::would_block;
  if (written != 0) ec = {};
  return written;
}

void tls_socket::shutdown(tcp_socket::shutdown_type what, error_code& ec) {
  close_notify();
  socket_.shutdown(what, ec);
}

void tls_socket::close(error_code& ec) {
  close_notify();
  socket_.close(ec);
}

void tls_socket::close_notify() {
  auto const may_speak = session_ && !unusable() && !write_pending_;
  if (!may_speak || SSL_in_init(session_.get()) != 0 || (SSL_get_shutdown(session_.get()) & SSL_SENT_SHUTDOWN) != 0)
    return;
  ERR_clear_error();
  SSL_shutdown(session_.get());
}

/// What the result of a call into OpenSSL means. True if it succeeded.
bool tls_socket::judge(int result, error_code& ec) {
  auto const system_error = errno;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_NONE: return true;
    case SSL_ERROR_WANT_READ: awaits_ = tcp_socket::wait_read; break;
    case SSL_ERROR_WANT_WRITE: awaits_ = tcp_socket::wait_write; break;
    case SSL_ERROR_ZERO_RETURN: ec = net::error::eof; return false;
    case SSL_ERROR_SYSCALL:
      ec = failed_ =
          system_error == 0 ? error_code(net::error::eof) : error_code(system_error, boost::system::system_category());
      return false;
    default: ec = failed_ = last_error(); return false;
  }
  ec = net::error::would_block;
  return false;
}

}  // namespace chorus
