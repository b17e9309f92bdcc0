// Rung 4: a chat whose queues are bounded, and which encodes once and sends one packet per batch.
//
// In rung 3 the queue of a peer that does not read grows without bound, and each message to each peer costs a frame and
// a system call. Here `broadcast` waits a moment, until those have spoken whose words are already here; then all of it
// becomes one packet of frames, the same for everyone, and one send for each peer. And a peer whose queue is full is
// cut off.
//
// It cannot do what people want of a chat: be patient with who is slow, tell what was missed, remember, use a second
// thread, stop in good order. That is Chorus.
//
// Usage: 4_batches PORT

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

namespace beast = boost::beast;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using boost::system::error_code;
using net::ip::tcp;

// `auto [ec, result] = co_await operation(nothrow)`: that peers fail is normal, and no exception. Deferred, since
// `use_awaitable` would make a coroutine of every operation.
constexpr auto nothrow = net::as_tuple(net::deferred);

using packet = std::shared_ptr<std::string const>;  // of whole frames; nothing is the end

constexpr std::size_t max_queue = 64, max_batch = 64 * 1024, max_message = 64 * 1024;  // packets, bytes, bytes
constexpr int quiet_turns = 4;  // of the executor: a message that has arrived takes two or three to be read

// Reads as a socket does. What Beast writes by itself (the handshake, pongs, goodbyes) goes into the queue as all else,
// so there is one writer, and no frame inside another.
struct queued_socket : tcp::socket {
  explicit queued_socket(tcp::socket from)
      : tcp::socket(std::move(from)), queue(get_executor(), max_queue), written(get_executor(), 1) {}

  template <class Buffers, class Token>
  auto async_write_some(Buffers const& buffers, Token&& token) {
    auto const bytes = std::make_shared<std::string const>(beast::buffers_to_string(buffers));
    return queue.async_send(error_code(), bytes, net::append(std::forward<Token>(token), bytes->size()));
  }

  net::experimental::channel<void(error_code, packet)> queue;
  net::experimental::channel<void(error_code)> written;  // up to the end
};
using member = websocket::stream<queued_socket>;

// Beast's hook after both goodbyes: it waits until ours is written, but not longer than Beast's timeout.
template <class Handler>
void async_teardown(beast::role_type, queued_socket& socket, Handler&& handler) {
  if (!socket.queue.try_send(error_code(), nullptr)) socket.close();
  socket.written.async_receive(std::forward<Handler>(handler));
}

struct room {
  std::set<std::shared_ptr<member>> members;
  std::size_t ever_joined = 0;
  std::string batch;  // what was said since the last packet, as frames
  net::experimental::channel<void(error_code)> spoken;
};

// A text message as a server sends it (RFC 6455 section 5.2): not masked, so it is the same for everyone.
void append_frame(std::string& to, std::string_view text) {
  int const further = text.size() < 126 ? 0 : text.size() <= 0xFFFF ? 2 : 8;  // bytes of the length
  to += '\x81';
  to += static_cast<char>(further == 0 ? text.size() : further == 2 ? 126U : 127U);
  for (int i = further; i-- != 0;) to += static_cast<char>(text.size() >> 8 * i & 0xFF);
  to += text;
}

net::awaitable<void> broadcast(room& in) {
  error_code ignored;
  for (;;) {
    co_await in.spoken.async_receive(nothrow);
    for (int quiet = 0; quiet != quiet_turns && in.batch.size() < max_batch;) {
      auto const before = in.batch.size();
      co_await net::post(nothrow);
      quiet = in.batch.size() == before ? quiet + 1 : 0;
    }
    auto const all = std::make_shared<std::string>(std::exchange(in.batch, {}));
    for (auto const& each : in.members) {
      if (each->next_layer().queue.try_send(error_code(), all)) continue;
      each->next_layer().set_option(net::socket_base::linger(true, 0), ignored);  // drops what the kernel has for it
      each->next_layer().close(ignored);
    }
  }
}

net::awaitable<void> write_loop(std::shared_ptr<member> self) {
  tcp::socket& socket = self->next_layer();
  for (;;) {
    auto const [closed, next] = co_await self->next_layer().queue.async_receive(nothrow);
    if (!next) break;
    auto const [unsent, size] = co_await net::async_write(socket, net::buffer(*next), nothrow);
    if (unsent) break;
  }
  self->next_layer().queue.close();
  self->next_layer().written.try_send(error_code());
}

net::awaitable<void> read_loop(member& self, room& in) {
  auto const label = "[user" + std::to_string(in.ever_joined++) + "]: ";
  beast::flat_buffer heard;
  for (;;) {
    auto const [gone, size] = co_await self.async_read(heard, nothrow);
    if (gone) co_return;
    if (self.got_text()) {
      if (in.batch.empty()) in.spoken.try_send(error_code());
      append_frame(in.batch, label + beast::buffers_to_string(heard.data()));
    }
    heard.clear();
  }
}

net::awaitable<void> session(tcp::socket socket, room& in) {
  auto const self = std::make_shared<member>(std::move(socket));
  self->set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
  self->read_message_max(max_message);
  net::co_spawn(self->get_executor(), write_loop(self), net::detached);
  auto const [refused] = co_await self->async_accept(nothrow);
  if (!refused) {
    auto const greeting = std::make_shared<std::string>();
    in.members.insert(self);
    append_frame(*greeting, "You are connected! There are " + std::to_string(in.members.size()) + " users here.");
    self->next_layer().queue.try_send(error_code(), greeting);
    co_await read_loop(*self, in);
    in.members.erase(self);
  }
  self->next_layer().queue.close();
  self->next_layer().close();
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
    std::cerr << "Usage: 4_batches PORT\n";
    return 2;
  }
  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), port});
  acceptor.set_option(tcp::no_delay(true));  // the connections inherit it
  std::cout << "listening on port " << acceptor.local_endpoint().port() << std::endl;
  room everyone{{}, 0, {}, {io.get_executor(), 1}};
  auto const rethrow = [](std::exception_ptr const& error) { std::rethrow_exception(error); };
  net::co_spawn(io, broadcast(everyone), rethrow);
  net::co_spawn(io, listen(acceptor, everyone), rethrow);
  io.run();
} catch (std::exception const& error) {
  std::cerr << "4_batches: " << error.what() << "\n";
  return 1;
}
