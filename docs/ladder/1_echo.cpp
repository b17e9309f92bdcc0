// Rung 1: an echo, with one coroutine per connection.
//
// Without coroutines a server that waits for many has a thread for each of them, or cuts each conversation into
// callbacks. Here a conversation is one function, `echo`, that reads from top to bottom; while it waits, the one thread
// serves the others. When it returns, the connection is gone, with all that belonged to it.
//
// It cannot do what makes a chat: nobody hears anybody else.
//
// Usage: 1_echo PORT

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

namespace beast = boost::beast;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using net::ip::tcp;

// `auto [ec, result] = co_await operation(nothrow)`: that peers fail is normal, and no exception. Deferred, since
// `use_awaitable` would make a coroutine of every operation.
constexpr auto nothrow = net::as_tuple(net::deferred);

net::awaitable<void> echo(tcp::socket socket) {
  websocket::stream<beast::tcp_stream> peer(std::move(socket));
  // Who does not finish its handshake, or answers no ping for minutes, is gone.
  peer.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  auto const [refused] = co_await peer.async_accept(nothrow);
  if (refused) co_return;
  std::string answer = "You are connected!";
  beast::flat_buffer said;
  for (;;) {
    auto const [unsent, written] = co_await peer.async_write(net::buffer(answer), nothrow);
    if (unsent) co_return;
    // A read also answers pings and goodbyes. It fails when the peer has left, in whatever way.
    do {
      said.clear();
      auto const [gone, size] = co_await peer.async_read(said, nothrow);
      if (gone) co_return;
    } while (!peer.got_text());
    answer = "You said: " + beast::buffers_to_string(said.data());
  }
}

net::awaitable<void> listen(tcp::acceptor& acceptor) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(nothrow);
    // Detached: what is thrown in there ends that connection alone.
    if (!ec) net::co_spawn(acceptor.get_executor(), echo(std::move(socket)), net::detached);
    // Perhaps no descriptor was left. To try again at once would burn time until somebody leaves.
    net::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(100));
    if (ec) co_await pause.async_wait(nothrow);
  }
}

int main(int argc, char* argv[]) try {
  std::string_view const asked = argc == 2 ? argv[1] : "";
  net::ip::port_type port = 0;
  auto const [end, wrong] = std::from_chars(asked.data(), asked.data() + asked.size(), port);
  if (wrong != std::errc() || end != asked.data() + asked.size()) {
    std::cerr << "Usage: 1_echo PORT\n";
    return 2;
  }
  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), port});
  acceptor.set_option(tcp::no_delay(true));  // the connections inherit it
  std::cout << "listening on port " << acceptor.local_endpoint().port() << std::endl;
  net::co_spawn(io, listen(acceptor), [](std::exception_ptr const& error) { std::rethrow_exception(error); });
  io.run();
} catch (std::exception const& error) {
  std::cerr << "1_echo: " << error.what() << "\n";
  return 1;
}
