// beast_per_message: the chat as one writes it with Boost.Beast today.
//
// As in Beast's own chat example: a session has a queue of shared strings and one async_write at a time, and a message
// that is read is pushed to every session. So each delivery is an asynchronous operation and a system call of its own.
//
// Usage: beast_per_message PORT

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

namespace {

namespace beast = boost::beast;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using boost::system::error_code;
using net::ip::tcp;

class session;

struct lobby {
  std::unordered_set<session*> sessions;
  std::size_t ever_joined = 0;
};

class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, lobby& room) : stream_(std::move(socket)), room_(room) {}
  session(session const&) = delete;
  session& operator=(session const&) = delete;
  ~session() { room_.sessions.erase(this); }

  void run() {
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    stream_.async_accept([self = shared_from_this()](error_code ec) {
      if (!ec) self->join();
    });
  }

  void send(std::shared_ptr<std::string const> text) {
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) write_first();
  }

 private:
  void join() {
    name_ = "user" + std::to_string(room_.ever_joined++);
    room_.sessions.insert(this);
    auto const users = std::to_string(room_.sessions.size());
    send(std::make_shared<std::string const>("You are connected! There are " + users + " users here."));
    read_next();
  }

  void read_next() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code ec, std::size_t) {
      if (!ec) self->on_message();
    });
  }

  void on_message() {
    auto const said = beast::buffers_to_string(buffer_.data());
    buffer_.consume(buffer_.size());
    if (stream_.got_text()) {
      auto const text = std::make_shared<std::string const>("[" + name_ + "]: " + said);
      for (auto* const each : room_.sessions) each->send(text);
    }
    read_next();
  }

  void write_first() {
    stream_.async_write(net::buffer(*queue_.front()), [self = shared_from_this()](error_code ec, std::size_t) {
      if (ec) return;
      self->queue_.pop_front();
      if (!self->queue_.empty()) self->write_first();
    });
  }

  websocket::stream<beast::tcp_stream> stream_;
  lobby& room_;
  std::string name_;
  beast::flat_buffer buffer_;
  std::deque<std::shared_ptr<std::string const>> queue_;
};

void accept_next(tcp::acceptor& acceptor, lobby& room) {
  acceptor.async_accept([&acceptor, &room](error_code ec, tcp::socket socket) {
    if (!ec) {
      socket.set_option(tcp::no_delay(true), ec);
      std::make_shared<session>(std::move(socket), room)->run();
    }
    accept_next(acceptor, room);
  });
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 2) {
    std::fputs("Usage: beast_per_message PORT\n", stderr);
    return 2;
  }
  auto const port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  lobby room;
  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), port});
  accept_next(acceptor, room);
  std::printf("listening on port %d\n", port);
  std::fflush(stdout);
  io.run();
}
