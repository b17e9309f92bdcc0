// beast_per_message: the chat as one writes it with Boost.Beast today.
//
// As in Beast's own chat example: a session has a queue of shared strings and one async_write at a time, and a message
// that is read is pushed to every session in the room, which is a path. So each delivery is an asynchronous operation
// and a system call of its own.
//
// Usage: beast_per_message PORT

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using boost::system::error_code;
using net::ip::tcp;

class session;

struct room {
  std::unordered_set<session*> sessions;
  std::size_t ever_joined = 0;
};

using rooms_by_path = std::unordered_map<std::string, room>;

class session : public std::enable_shared_from_this<session> {
 public:
  session(tcp::socket socket, rooms_by_path& rooms) : stream_(std::move(socket)), rooms_(rooms) {}
  session(session const&) = delete;
  session& operator=(session const&) = delete;
  ~session() {
    if (room_ != nullptr) room_->sessions.erase(this);
  }

  void run() {
    auto const request = std::make_shared<upgrade>();
    auto const accept = [self = shared_from_this(), request](error_code ec, std::size_t) {
      if (!ec) self->accept(*request);
    };
    http::async_read(stream_.next_layer(), buffer_, *request, accept);
  }

  void send(std::shared_ptr<std::string const> text) {
    queue_.push_back(std::move(text));
    if (queue_.size() == 1) write_first();
  }

 private:
  using upgrade = http::request<http::empty_body>;

  void accept(upgrade const& request) {
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    auto const join = [self = shared_from_this(), path = std::string(request.target())](error_code ec) {
      if (!ec) self->join(path);
    };
    stream_.async_accept(request, join);
  }

  void join(std::string const& path) {
    room_ = &rooms_[path];
    name_ = "user" + std::to_string(room_->ever_joined++);
    room_->sessions.insert(this);
    auto const users = std::to_string(room_->sessions.size());
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
      for (auto* const each : room_->sessions) each->send(text);
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
  rooms_by_path& rooms_;
  room* room_ = nullptr;
  std::string name_;
  beast::flat_buffer buffer_;
  std::deque<std::shared_ptr<std::string const>> queue_;
};

void accept_next(tcp::acceptor& acceptor, rooms_by_path& rooms) {
  acceptor.async_accept([&acceptor, &rooms](error_code ec, tcp::socket socket) {
    if (!ec) {
      socket.set_option(tcp::no_delay(true), ec);
      std::make_shared<session>(std::move(socket), rooms)->run();
    }
    accept_next(acceptor, rooms);
  });
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 2) {
    std::fputs("Usage: beast_per_message PORT\n", stderr);
    return 2;
  }
  auto const port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  rooms_by_path rooms;
  net::io_context io(1);
  tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), port});
  accept_next(acceptor, rooms);
  std::printf("listening on port %d\n", port);
  std::fflush(stdout);
  io.run();
}
