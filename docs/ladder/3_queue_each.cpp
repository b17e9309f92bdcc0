// Rung 3: a chat with a queue for each peer. It is how chats are usually written with Boost.Beast.
//
// In rung 2 one peer that does not read stops everybody. Here nobody awaits a peer but that peer's own coroutine,
// `write_loop`: what is said goes into the queue of every member, which never waits, and each queue empties as fast as
// its peer reads.
//
// It cannot say no: the queue of a peer that does not read grows for as long as the others talk, until there is no
// memory left. And it is slow under load: each message to each peer is an asynchronous operation, a frame and a system
// call of its own, however many messages wait.
//
// Usage: 3_queue_each PORT

#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <iostream>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace beast = boost::beast;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using boost::system::error_code;
using net::ip::tcp;

// `auto [ec, result] = co_await operation(nothrow)`: that peers fail is normal, and no exception. Deferred, since
// `use_awaitable` would make a coroutine of every operation.
constexpr auto nothrow = net::as_tuple(net::deferred);

constexpr auto unlimited = std::numeric_limits<std::size_t>::max();

struct member {
  explicit member(tcp::socket socket) : peer(std::move(socket)), queue(peer.get_executor(), unlimited) {}

  websocket::stream<beast::tcp_stream> peer;
  // Of shared lines: those that wait for many are there once.
  net::experimental::channel<void(error_code, std::shared_ptr<std::string const>)> queue;
};

struct room {
  std::set<std::shared_ptr<member>> members;
  std::size_t ever_joined = 0;
};

net::awaitable<void> write_loop(std::shared_ptr<member> self) {
  for (;;) {
    auto const [left, line] = co_await self->queue.async_receive(nothrow);
    if (left) co_return;
    auto const [unsent, written] = co_await self->peer.async_write(net::buffer(*line), nothrow);
    if (unsent) co_return;  // then a read fails, too, and the session ends
  }
}

net::awaitable<void> read_loop(member& self, std::string name, room& in) {
  beast::flat_buffer heard;
  for (;;) {
    // A read also answers pings and goodbyes. It fails when the peer has left, in whatever way.
    auto const [gone, size] = co_await self.peer.async_read(heard, nothrow);
    if (gone) co_return;
    auto const line = std::make_shared<std::string const>("[" + name + "]: " + beast::buffers_to_string(heard.data()));
    heard.clear();
    if (!self.peer.got_text()) continue;
    for (auto const& each : in.members) each->queue.try_send(error_code(), line);
  }
}

net::awaitable<void> session(tcp::socket socket, room& in) {
  auto const self = std::make_shared<member>(std::move(socket));
  self->peer.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  auto const [refused] = co_await self->peer.async_accept(nothrow);
  if (refused) co_return;
  in.members.insert(self);
  auto const name = "user" + std::to_string(in.ever_joined++);
  auto const users = std::to_string(in.members.size());
  // Into the queue, before anything else can be: no need to wait for it.
  self->queue.try_send(error_code(),
                       std::make_shared<std::string const>("You are connected! There are " + users + " users here."));
  net::co_spawn(self->peer.get_executor(), write_loop(self), net::detached);
  co_await read_loop(*self, name, in);
  in.members.erase(self);
  self->queue.close();
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
    std::cerr << "Usage: 3_queue_each PORT\n";
    return 2;
  }
  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), port});
  acceptor.set_option(tcp::no_delay(true));  // the connections inherit it
  std::cout << "listening on port " << acceptor.local_endpoint().port() << std::endl;
  room everyone;
  auto const rethrow = [](std::exception_ptr const& error) { std::rethrow_exception(error); };
  net::co_spawn(io, listen(acceptor, everyone), rethrow);
  io.run();
} catch (std::exception const& error) {
  std::cerr << "3_queue_each: " << error.what() << "\n";
  return 1;
}
