// Rung 2: a chat, which awaits each peer in turn.
//
// In rung 1 nobody hears anybody else. Here all are members of one room: what one says goes through a channel to one
// more coroutine, `broadcast`, and that writes it to everyone. There is one order of messages for all, and two writes
// never meet on one stream, which Beast forbids.
//
// It cannot go on without a peer that stops reading: once that one's buffers in the kernel are full, the write to it
// waits, and everybody else waits behind it.
//
// Usage: 2_in_turn PORT

#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace beast = boost::beast;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using boost::system::error_code;
using net::ip::tcp;

// `auto [ec, result] = co_await operation(nothrow)`: that peers fail is normal, and no exception. Deferred, since
// `use_awaitable` would make a coroutine of every operation.
constexpr auto nothrow = net::as_tuple(net::deferred);

using member = websocket::stream<beast::tcp_stream>;

struct room {
  explicit room(net::any_io_executor const& ex) : said(ex) {}

  std::set<std::shared_ptr<member>> members;
  std::size_t users = 0;  // members, and those who are about to be
  std::size_t ever_joined = 0;
  // Without room in it: who says something waits until it is taken. So a crowd of speakers is no memory.
  net::experimental::channel<void(error_code, std::string)> said;
};

net::awaitable<void> broadcast(room& in) {
  for (;;) {
    auto const [closed, line] = co_await in.said.async_receive(nothrow);
    // A copy, since members come and go while we wait. Who has gone meanwhile is a write that fails, which is all.
    std::vector<std::shared_ptr<member>> const audience(in.members.begin(), in.members.end());
    for (auto const& each : audience) co_await each->async_write(net::buffer(line), nothrow);
  }
}

net::awaitable<void> converse(member& peer, std::string name, room& in) {
  error_code const fine;
  beast::flat_buffer heard;
  for (;;) {
    // A read also answers pings and goodbyes. It fails when the peer has left, in whatever way.
    auto const [gone, size] = co_await peer.async_read(heard, nothrow);
    if (gone) co_return;
    std::string line = "[" + name + "]: " + beast::buffers_to_string(heard.data());
    heard.clear();
    if (peer.got_text()) co_await in.said.async_send(fine, std::move(line), nothrow);
  }
}

net::awaitable<void> session(tcp::socket socket, room& in) {
  auto const self = std::make_shared<member>(std::move(socket));
  self->set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  auto const [refused] = co_await self->async_accept(nothrow);
  if (refused) co_return;
  auto const name = "user" + std::to_string(in.ever_joined++);
  auto const greeting = "You are connected! There are " + std::to_string(++in.users) + " users here.";
  // It becomes a member only after its greeting, so that `broadcast` does not write into that.
  auto const [unsent, written] = co_await self->async_write(net::buffer(greeting), nothrow);
  if (!unsent) {
    in.members.insert(self);
    co_await converse(*self, name, in);
    in.members.erase(self);
  }
  --in.users;
}

net::awaitable<void> listen(tcp::acceptor& acceptor, room& in) {
  for (;;) {
    auto [ec, socket] = co_await acceptor.async_accept(nothrow);
    // Detached: what is thrown in there ends that connection alone.
    if (!ec) net::co_spawn(acceptor.get_executor(), session(std::move(socket), in), net::detached);
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
    std::cerr << "Usage: 2_in_turn PORT\n";
    return 2;
  }
  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), port});
  acceptor.set_option(tcp::no_delay(true));  // the connections inherit it
  std::cout << "listening on port " << acceptor.local_endpoint().port() << std::endl;
  room everyone(io.get_executor());
  auto const rethrow = [](std::exception_ptr const& error) { std::rethrow_exception(error); };
  net::co_spawn(io, broadcast(everyone), rethrow);
  net::co_spawn(io, listen(acceptor, everyone), rethrow);
  io.run();
} catch (std::exception const& error) {
  std::cerr << "2_in_turn: " << error.what() << "\n";
  return 1;
}
