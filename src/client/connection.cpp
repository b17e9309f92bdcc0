#include "client/connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "client/alarm.hpp"
#include "tls/tls_socket.hpp"

namespace chorus {

/// Beast's hook for the end of the closing handshake: after close_notify all is as without TLS.
template <class Handler>
void async_teardown(boost::beast::role_type role, tls_socket& stream, Handler&& handler) {
  stream.close_notify();
  // Who has closed before that arrives answers with a reset. Both close frames are through by then, so no end is wrong.
  auto whatever = boost::beast::bind_handler(std::forward<Handler>(handler), error_code());
  boost::beast::websocket::async_teardown(role, stream.next_layer(), std::move(whatever));
}

namespace {

namespace websocket = boost::beast::websocket;
namespace http = boost::beast::http;

constexpr auto patience = std::chrono::seconds(10);
constexpr std::uint16_t no_code = 1005;

}  // namespace

struct connection::implementation {
  explicit implementation(executor ex) : stream(tcp_socket(ex)) {}

  tcp_socket& socket() { return stream.next_layer().next_layer(); }

  websocket::stream<tls_socket, false> stream;
  boost::beast::flat_buffer input;
  std::function<void(std::string)> pong;
  bool closing = false;
};

connection::connection(executor ex) : self_(std::make_unique<implementation>(ex)) {}
connection::connection(connection&&) noexcept = default;
connection::~connection() = default;

namespace {

/// Connects to the first address that takes it.
awaitable<error_code> reach(tcp_socket& socket, websocket_url const& to, int receive_buffer) {
  net::ip::basic_resolver<tcp, executor> resolver(socket.get_executor());
  auto [failed, addresses] = co_await resolver.async_resolve(to.host, to.port, nothrow);
  auto last = failed;
  if (!last && addresses.empty()) last = net::error::host_not_found;
  for (auto const& address : addresses) {
    error_code ignored;
    socket.close(ignored);
    socket.open(address.endpoint().protocol(), ignored);
    if (receive_buffer != 0) socket.set_option(net::socket_base::receive_buffer_size(receive_buffer), ignored);
    auto const endpoint = address.endpoint();
    auto const [ec] = co_await socket.async_connect(endpoint, nothrow);
    last = ec;
    if (!ec) break;
  }
  co_return last;
}

awaitable<connect_result> secure(tls_socket& socket, websocket_url const& to, std::shared_ptr<tls_context> with) {
  error_code ignored;
  socket.next_layer().non_blocking(true, ignored);
  socket.connect_tls(*with, to.host);
  alarm const late(socket.get_executor(), patience, [&socket, &ignored] { socket.next_layer().close(ignored); });
  auto const [ec] = co_await socket.async_handshake(nothrow);
  connect_result result;
  if (!ec) co_return result;
  result.error = ec;
  result.what = late.rung() ? "there was no answer in time" : "no TLS: " + socket.explain(ec);
  co_return result;
}

}  // namespace

awaitable<connect_result> connection::open(websocket_url to, handshake request) {
  auto& stream = self_->stream;
  auto const unreachable = co_await reach(self_->socket(), to, request.receive_buffer);
  if (unreachable) {
    connect_result failed{unreachable, 0, unreachable.message(), {}};
    co_return failed;
  }
  error_code ignored;
  self_->socket().set_option(tcp::no_delay(true), ignored);
  if (to.secure) {
    auto const failed = co_await secure(stream.next_layer(), to, request.tls);
    if (!failed.ok()) co_return failed;
  }
  stream.set_option(websocket::stream_base::timeout{patience, websocket::stream_base::none(), false});
  stream.set_option(websocket::stream_base::decorator([&request](websocket::request_type& header) {
    header.set(http::field::user_agent, "chorus-client");
    if (!request.subprotocol.empty()) header.set(http::field::sec_websocket_protocol, request.subprotocol);
    for (auto const& [name, value] : request.headers) header.set(name, value);
  }));
  stream.read_message_max(0);
  stream.control_callback([self = self_.get()](websocket::frame_type kind, boost::beast::string_view payload) {
    if (kind == websocket::frame_type::pong && self->pong) self->pong(std::string(payload));
  });

  websocket::response_type response;
  auto const host = to.authority();
  auto const [ec] = co_await stream.async_handshake(response, host, to.path, nothrow);
  connect_result result{ec, response.result_int(), {}, std::string(response[http::field::sec_websocket_protocol])};
  if (ec == websocket::error::upgrade_declined)
    result.what = "the server answered " + std::to_string(result.status) + " " + std::string(response.reason());
  else if (ec == http::error::end_of_stream)
    result.what = "the server closed the connection instead of answering";
  else if (ec)
    result.what = ec.message();
  co_return result;
}

awaitable<incoming> connection::receive() {
  auto& stream = self_->stream;
  auto& input = self_->input;
  input.clear();
  auto const [ec, bytes] = co_await stream.async_read(input, nothrow);
  incoming next;
  if (!ec) {
    next.what = stream.got_text() ? incoming::kind::text : incoming::kind::binary;
    next.data.assign(static_cast<char const*>(input.cdata().data()), input.size());
  } else if (ec == websocket::error::closed || (ec == net::error::operation_aborted && self_->closing)) {
    // When it is `close` that reads the server's close frame, Beast aborts the read beside it.
    auto const& reason = stream.reason();
    next.what = incoming::kind::closed;
    next.code = reason.code == websocket::close_code::none ? no_code : reason.code;
    next.data.assign(reason.reason.data(), reason.reason.size());
  } else {
    next.error = ec;
    next.data = ec.message();
  }
  co_return next;
}

awaitable<error_code> connection::send_text(std::string text) {
  self_->stream.text(true);
  auto const [ec, bytes] = co_await self_->stream.async_write(net::buffer(text), nothrow);
  co_return ec;
}

awaitable<error_code> connection::send_binary(std::string bytes) {
  self_->stream.binary(true);
  auto const [ec, sent] = co_await self_->stream.async_write(net::buffer(bytes), nothrow);
  co_return ec;
}

awaitable<error_code> connection::ping(std::string payload) {
  websocket::ping_data const data(payload);
  auto const [ec] = co_await self_->stream.async_ping(data, nothrow);
  co_return ec;
}

awaitable<error_code> connection::close(std::uint16_t code, std::string reason) {
  self_->closing = true;
  // With a callback Beast's read yields between taking a close frame and saying so. If our own close frame is sent in
  // that turn, read and close wait for each other for ever.
  self_->stream.control_callback();
  websocket::close_reason const why(static_cast<websocket::close_code>(code), reason);
  auto const [ec] = co_await self_->stream.async_close(why, nothrow);
  co_return ec;
}

void connection::on_pong(std::function<void(std::string)> call) { self_->pong = std::move(call); }

void connection::drop() {
  auto& socket = self_->socket();
  error_code ignored;
  socket.set_option(net::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace chorus
