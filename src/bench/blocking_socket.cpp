#include "bench/blocking_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

using std::chrono::system_clock;

error_code last_error() { return {errno, boost::system::system_category()}; }

/// By the stamp that the kernel put on the last of the bytes; without one, now.
clock::time_point time_of_arrival(msghdr& message) {
  // The wall clock first: if this thread is put aside in between, the bytes seem to have come late, never early.
  auto const wall = system_clock::now();
  auto const now = clock::now();
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    std::timespec stamp{};
    std::memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    return steady_time_of(stamp, wall, now);
  }
  return now;
}

[[noreturn]] void fail(error_code ec) {
  if (ec == net::error::eof) throw check_failed("the server closed the connection without a close frame");
  throw check_failed("the connection is lost: " + ec.message());
}

}  // namespace

clock::time_point steady_time_of(std::timespec stamp, system_clock::time_point wall, clock::time_point now) {
  auto const since_epoch = std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec);
  auto const age = wall.time_since_epoch() - since_epoch;
  return now - std::max(clock::duration(age), clock::duration::zero());
}

void blocking_socket::connect(tcp::endpoint const& to, clock::time_point deadline) {
  auto& socket = socket_.next_layer();
  socket.open(to.protocol());
  socket.non_blocking(true);
  socket.set_option(tcp::no_delay(true));
  socket.set_option(net::socket_base::linger(true, 0));
  int const on = 1;
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  // Not the socket's own `connect`, which waits without a deadline.
  if (::connect(socket_.native_handle(), to.data(), static_cast<socklen_t>(to.size())) == 0) return;
  if (errno != EINPROGRESS) throw check_failed("cannot connect: " + last_error().message());
  if (!wait(POLLOUT, deadline)) throw check_failed("cannot connect in time");
  int failed = 0;
  socklen_t size = sizeof failed;
  ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &failed, &size);
  if (failed != 0)
    throw check_failed("cannot connect: " + error_code(failed, boost::system::system_category()).message());
}

void blocking_socket::secure(tls_context& with, std::string const& host, clock::time_point deadline) {
  socket_.connect_tls(with, host);
  for (;;) {
    error_code ec;
    socket_.handshake(ec);
    if (!ec) return;
    if (ec != net::error::would_block) throw check_failed("no TLS: " + socket_.explain(ec));
    auto const what = socket_.awaits() == tcp_socket::wait_read ? POLLIN : POLLOUT;
    if (!wait(static_cast<short>(what), deadline)) throw check_failed("no TLS handshake in time");
  }
}

void blocking_socket::send(std::string_view bytes, clock::time_point deadline) {
  while (!bytes.empty()) {
    error_code ec;
    bytes.remove_prefix(socket_.send(net::buffer(bytes), 0, ec));
    if (ec && ec != net::error::would_block) throw check_failed("cannot send: " + ec.message());
    if (ec && !wait(POLLOUT, deadline)) throw check_failed("the server takes no more data");
  }
}

std::optional<blocking_socket::arrival> blocking_socket::receive(net::mutable_buffer into, clock::time_point deadline) {
  do {
    auto const came = socket_.is_secure() ? receive_secure(into) : receive_plain(into);
    if (came.bytes != 0) return came;
  } while (wait(POLLIN, deadline));
  return std::nullopt;
}

blocking_socket::arrival blocking_socket::receive_plain(net::mutable_buffer into) {
  iovec part{into.data(), into.size()};
  alignas(cmsghdr) std::array<char, 256> ancillary{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.data();
  message.msg_controllen = ancillary.size();
  auto const bytes = ::recvmsg(socket_.native_handle(), &message, 0);
  if (bytes > 0) return {static_cast<std::size_t>(bytes), time_of_arrival(message)};
  if (bytes == 0) fail(net::error::eof);
  if (errno != EAGAIN && errno != EINTR) fail(last_error());
  return {};
}

blocking_socket::arrival blocking_socket::receive_secure(net::mutable_buffer into) {
  error_code ec;
  auto const bytes = socket_.read_some(into, ec);
  if (ec && ec != net::error::would_block) fail(ec);
  return {bytes, clock::now()};
}

void blocking_socket::interrupt() { ::shutdown(socket_.native_handle(), SHUT_RDWR); }

bool blocking_socket::wait(short for_what, clock::time_point deadline) {
  pollfd socket{socket_.native_handle(), for_what, 0};
  for (;;) {
    auto const left = std::max(deadline - clock::now(), clock::duration::zero());
    auto const whole = std::chrono::floor<std::chrono::seconds>(left);
    std::timespec const limit{whole.count(), (left - whole).count()};
    auto const ready = ::ppoll(&socket, 1, &limit, nullptr);
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) throw check_failed("cannot wait for the server: " + last_error().message());
  }
}

}  // namespace chorus::bench
