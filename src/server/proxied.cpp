#include "server/proxied.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>

#include "server/preamble.hpp"
#include "server/proxy_header.hpp"

namespace chorus {

namespace {

class proxy_preamble final : public preamble {
 public:
  proxy_preamble(admission& to, tcp_socket& socket, tcp::endpoint& from, capacity::seat& seat,
                 clock::time_point deadline)
      : preamble(to, socket, deadline), from_(from), seat_(seat) {}

  awaitable<bool> run() {
    auto const [ec] = co_await socket_.async_wait(tcp_socket::wait_read, nothrow);
    if (ec) co_return false;
    std::array<char, least_proxy_header> begin;
    error_code nothing_there;
    auto const size = socket_.receive(net::buffer(begin), tcp_socket::message_peek, nothing_there);
    std::string_view const seen(begin.data(), size);
    // No request and no TLS begins like that. What says that it is of version 1 is no request either.
    auto const has_header = seen.starts_with('\r') || seen.starts_with("PROXY ");
    if (!has_header) co_return true;
    if (auto const parsed = parse_proxy_header(seen); std::holds_alternative<std::string_view>(parsed)) {
      log(std::get<std::string_view>(parsed));
      co_return false;
    }
    auto const whole = co_await take();
    co_return whole;
  }

 private:
  awaitable<bool> take() {
    std::string bytes;
    for (std::size_t needed = least_proxy_header;;) {
      auto const had = bytes.size();
      bytes.resize(needed);
      auto const rest = net::buffer(bytes.data() + had, needed - had);
      auto const [ec, count] = co_await net::async_read(socket_, rest, nothrow);
      if (ec) {
        if (is_late()) log("it was not complete in time");
        if (socket_.is_open()) log("it ends too early");
        co_return false;
      }
      auto const parsed = parse_proxy_header(bytes);
      if (auto const* const incomplete = std::get_if<proxy_header_incomplete>(&parsed)) {
        needed = incomplete->needed;
      } else if (auto const* const wrong = std::get_if<std::string_view>(&parsed)) {
        log(*wrong);
        co_return false;
      } else {
        co_return become(std::get<proxy_header>(parsed).client);
      }
    }
  }

  bool become(std::optional<tcp::endpoint> const& client) {
    if (!client) return true;
    if (!admission_.seats.has_room_for(client->address())) {
      admission_.turned_away(*client);
      return false;
    }
    seat_.move_to(client->address());
    from_ = *client;
    return true;
  }

  void log(std::string_view what) const {
    admission_.at.log.warn("wrong_proxy_header", {{"address", from_}, {"reason", what}});
  }

  tcp::endpoint& from_;
  capacity::seat& seat_;
};

}  // namespace

awaitable<bool> take_proxy_header(admission& to, tcp_socket& socket, tcp::endpoint& from, capacity::seat& seat,
                                  clock::time_point deadline) {
  proxy_preamble header(to, socket, from, seat, deadline);
  co_return co_await header.run();
}

}  // namespace chorus
