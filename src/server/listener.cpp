#include "server/listener.hpp"

#include <algorithm>
#include <boost/asio/socket_base.hpp>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "server/address.hpp"
#include "server/kernel_tcp.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;
constexpr clock::duration first_pause = 10ms;
constexpr clock::duration longest_pause = 1s;

bool out_of_descriptors(error_code ec) {
  return ec == net::error::no_descriptors || ec == boost::system::errc::too_many_files_open_in_system;
}

bool out_of_memory(error_code ec) { return ec == net::error::no_buffer_space || ec == net::error::no_memory; }

}  // namespace

listener::listener(executor ex, tcp::endpoint const& at, inherited_sockets& inherited, std::string_view name,
                   std::size_t unsent_limit, logger& log)
    : log_(log), acceptor_(ex), pause_(ex), next_pause_(first_pause) {
  auto const descriptor = inherited.take(name);
  error_code ec;
  if (descriptor) {
    adopt(*descriptor, ec);
  } else {
    acceptor_.open(at.protocol(), ec);
  }
  // What is accepted inherits both, which saves system calls for each.
  if (!ec) acceptor_.set_option(tcp::no_delay(true), ec);
  if (!ec) limit_unsent(acceptor_.native_handle(), unsent_limit);
  if (!ec && !descriptor) listen(at, ec);
  if (!ec) return;
  auto const where = descriptor ? fmt::format("the inherited socket '{}'", name) : to_string(at);
  throw std::runtime_error(fmt::format("cannot listen on {}: {}", where, ec.message()));
}

void listener::listen(tcp::endpoint const& at, error_code& ec) {
  acceptor_.set_option(net::socket_base::reuse_address(true), ec);
  if (!ec) acceptor_.bind(at, ec);
  if (!ec) acceptor_.listen(net::socket_base::max_listen_connections, ec);
}

void listener::adopt(int descriptor, error_code& ec) {
  auto const family = family_of(descriptor);
  if (family == AF_INET || family == AF_INET6) {
    acceptor_.assign(family == AF_INET ? tcp::v4() : tcp::v6(), descriptor, ec);
  } else {
    ec = net::error::address_family_not_supported;
  }
  if (ec) ::close(descriptor);
}

awaitable<void> listener::run(handler accepted, reliever give_back) {
  tcp::endpoint from;
  auto someone_knocks = false;
  while (acceptor_.is_open()) {
    auto [ec, socket] = co_await acceptor_.async_accept(from, nothrow);
    // One that was already on its way when `close` was called is not taken either.
    if (!acceptor_.is_open()) co_return;
    if (!ec) {
      someone_knocks = false;
      next_pause_ = first_pause;
      hand_over(accepted, std::move(socket), from);
    } else if (out_of_descriptors(ec) && !someone_knocks) {
      // It says so even if there is nobody to accept.
      co_await acceptor_.async_wait(net::socket_base::wait_read, nothrow);
      someone_knocks = true;
    } else if (out_of_descriptors(ec) || out_of_memory(ec)) {
      warn(ec);
      auto const relieved = out_of_descriptors(ec) && give_back();
      if (!relieved) co_await back_off();
    } else {
      log_.debug("accept_failed", {{"reason", ec.message()}});
    }
  }
}

void listener::hand_over(handler const& to, tcp_socket socket, tcp::endpoint const& from) {
  try {
    to(std::move(socket), from);
  } catch (std::exception const& e) {
    log_.error("connection_failed", {{"reason", e.what()}});
  }
}

void listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void listener::warn(error_code ec) {
  auto const now = clock::now();
  if (now < next_warning_) return;
  log_.warn("cannot_accept", {{"reason", ec.message()}});
  next_warning_ = now + longest_pause;
}

awaitable<void> listener::back_off() {
  pause_.expires_after(next_pause_);
  next_pause_ = std::min(2 * next_pause_, longest_pause);
  co_await pause_.async_wait(nothrow);
}

}  // namespace chorus
