#include "server/listener.hpp"

#include <algorithm>
#include <boost/asio/socket_base.hpp>
#include <stdexcept>
#include <utility>

#include "server/address.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;
constexpr clock::duration first_pause = 10ms;
constexpr clock::duration longest_pause = 1s;

bool out_of_resources(error_code ec) {
  return ec == net::error::no_descriptors || ec == net::error::no_buffer_space || ec == net::error::no_memory ||
         ec == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

listener::listener(executor ex, tcp::endpoint const& at, spdlog::logger& log)
    : log_(log), acceptor_(ex), pause_(ex), next_pause_(first_pause) {
  error_code ec;
  acceptor_.open(at.protocol(), ec);
  if (!ec) acceptor_.set_option(net::socket_base::reuse_address(true), ec);
  // What is accepted inherits it, which saves a system call for each.
  if (!ec) acceptor_.set_option(tcp::no_delay(true), ec);
  if (!ec) acceptor_.bind(at, ec);
  if (!ec) acceptor_.listen(net::socket_base::max_listen_connections, ec);
  if (ec) throw std::runtime_error(fmt::format("cannot listen on {}: {}", to_string(at), ec.message()));
}

awaitable<void> listener::run(std::function<void(tcp_socket, tcp::endpoint const& from)> accepted) {
  tcp::endpoint from;
  while (acceptor_.is_open()) {
    auto [ec, socket] = co_await acceptor_.async_accept(from, nothrow);
    if (!ec) {
      next_pause_ = first_pause;
      accepted(std::move(socket), from);
    } else if (out_of_resources(ec)) {
      co_await back_off(ec);
    } else if (acceptor_.is_open()) {
      log_.debug("accept failed: {}", ec.message());
    }
  }
}

void listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

awaitable<void> listener::back_off(error_code ec) {
  if (auto const now = clock::now(); now >= next_warning_) {
    log_.warn("cannot accept connections: {}; trying on", ec.message());
    next_warning_ = now + longest_pause;
  }
  pause_.expires_after(next_pause_);
  next_pause_ = std::min(2 * next_pause_, longest_pause);
  co_await pause_.async_wait(nothrow);
}

}  // namespace chorus
