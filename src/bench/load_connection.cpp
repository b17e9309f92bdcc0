#include "bench/load_connection.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <utility>

#include "bench/check_failed.hpp"
#include "bench/handshake.hpp"

namespace chorus::bench {

namespace {

namespace http = boost::beast::http;

}  // namespace

awaitable<void> load_connection::open(target const& to, std::optional<int> receive_buffer) {
  co_await connect(to.endpoint, receive_buffer);
  if (to.tls) co_await secure(to);
  co_await upgrade(to);
}

awaitable<void> load_connection::connect(tcp::endpoint to, std::optional<int> receive_buffer) {
  // The window that the handshake offers cannot be taken back, so the buffer has its size before that.
  auto& socket = socket_.next_layer();
  error_code unopened;
  socket.open(to.protocol(), unopened);
  if (unopened) throw check_failed("cannot connect: " + unopened.message());
  if (receive_buffer) socket.set_option(net::socket_base::receive_buffer_size(*receive_buffer));
  auto const [ec] = co_await socket.async_connect(to, nothrow);
  if (ec) throw check_failed("cannot connect: " + ec.message());
  socket.set_option(tcp::no_delay(true));
  socket.non_blocking(true);
  // So that closing leaves nothing in TIME_WAIT: a few runs would use up the ports.
  socket.set_option(net::socket_base::linger(true, 0));
}

awaitable<void> load_connection::secure(target const& to) {
  socket_.connect_tls(*to.tls, to.url.host);
  auto const [ec] = co_await socket_.async_handshake(nothrow);
  if (ec) throw check_failed("no TLS: " + socket_.explain(ec));
}

awaitable<void> load_connection::upgrade(target const& to) {
  auto const request = upgrade_request(to);
  auto const [unsent, written] = co_await net::async_write(socket_, net::buffer(request), nothrow);
  if (unsent) throw check_failed("the server hung up: " + unsent.message());
  http::response_parser<http::empty_body> parser;
  auto const [unread, bytes] = co_await http::async_read_header(socket_, input_, parser, nothrow);
  if (unread) throw check_failed("no HTTP response came: " + unread.message());
  check_upgraded(parser.get(), to);
}

awaitable<void> load_connection::read_loop(handler& to) {
  // The server's first frames may have come with its response.
  consume_frames(to, clock::now());
  for (;;) {
    while (paused_) co_await resumed_.wait();
    auto const [ec, bytes] = co_await socket_.async_read_some(input_.prepare(read_size), nothrow);
    if (ec) break;
    input_.commit(bytes);
    consume_frames(to, clock::now());
  }
  close();
}

void load_connection::consume_frames(handler& to, clock::time_point now) {
  for (;;) {
    auto const frame = parse_frame({static_cast<char const*>(input_.cdata().data()), input_.size()});
    if (!frame) return;
    consume(*frame, to, now);
    input_.consume(frame->size);
  }
}

void load_connection::consume(server_frame const& frame, handler& to, clock::time_point now) {
  switch (frame.op) {
    case opcode::text:
      if (frame.final) return to.on_text(frame.payload, now);
      fragments_ = frame.payload;
      return;
    case opcode::continuation:
      fragments_ += frame.payload;
      if (frame.final) to.on_text(std::exchange(fragments_, {}), now);
      return;
    case opcode::ping: return send(opcode::pong, frame.payload);
    case opcode::close:
      close_code_ = close_code_of(frame);
      if (!leaving_) leave();
      return;
    case opcode::binary:
    case opcode::pong: return;
  }
  throw check_failed("the server sent a frame with an unknown opcode");
}

void load_connection::say(std::string_view text) { send(opcode::text, text); }

void load_connection::leave() {
  leaving_ = true;
  send(opcode::close, {});
}

void load_connection::send(opcode op, std::string_view payload) {
  if (!socket_.next_layer().is_open()) return;
  append_masked_frame(output_, op, payload);
  if (flushing_) return;
  error_code ec;
  output_.erase(0, socket_.send(net::buffer(output_), 0, ec));
  // Any other error comes to light where it is read.
  if (ec == net::error::would_block || (!ec && !output_.empty())) tasks_.spawn(flush());
}

awaitable<void> load_connection::flush() {
  flushing_ = true;
  while (!output_.empty() && socket_.next_layer().is_open()) {
    auto const now = std::exchange(output_, {});
    auto const [ec, bytes] = co_await net::async_write(socket_, net::buffer(now), nothrow);
    if (ec) break;
  }
  flushing_ = false;
}

void load_connection::resume() {
  paused_ = false;
  resumed_.set();
}

void load_connection::close() {
  error_code ignored;
  socket_.close(ignored);
  resume();
}

}  // namespace chorus::bench
