#include "client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace chorus::test {

namespace {

[[noreturn]] void fail(std::string const& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

sockaddr_in loopback(char const* address, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = inet_addr(address);
  return at;
}

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  while (bytes-- > 0) out.push_back(static_cast<char>((value >> (8 * bytes)) & 0xFF));
}

std::uint64_t get_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (auto const byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

constexpr std::string_view mask = "\x12\x34\x56\x78";

}  // namespace

// From the first constructor on the destructor closes the socket, also if the rest throws.
client::client(std::uint16_t port, int receive_buffer, char const* from)
    : client(unconnected{::socket(AF_INET, SOCK_STREAM, 0)}) {
  if (socket_ < 0) fail("socket");
  if (receive_buffer != 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  auto const here = loopback(from, 0);
  if (::bind(socket_, reinterpret_cast<sockaddr const*>(&here), sizeof here) != 0) fail("bind");
  auto const there = loopback("127.0.0.1", port);
  if (::connect(socket_, reinterpret_cast<sockaddr const*>(&there), sizeof there) != 0) fail("connect");
}

client::client(client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      input_(std::move(other.input_)),
      rate_(other.rate_),
      next_part_(other.next_part_) {}

client::~client() {
  if (socket_ >= 0) ::close(socket_);
}

client client::chat(std::uint16_t port, int receive_buffer) { return open(port, "/chat", receive_buffer); }

client client::echo(std::uint16_t port) { return open(port, "/echo", 0); }

client client::open(std::uint16_t port, std::string_view path, int receive_buffer) {
  client opened(port, receive_buffer);
  auto const head = opened.upgrade(path);
  if (!head.starts_with("HTTP/1.1 101 ")) throw std::runtime_error("not upgraded: " + head);
  return opened;
}

std::string client::upgrade(std::string_view path, std::string_view extra_headers) {
  send_raw(std::string("GET ")
               .append(path)
               .append(" HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
               .append(extra_headers)
               .append("\r\n"));
  return receive_response();
}

void client::send_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{socket_, POLLOUT, 0};
    if (::poll(&ready, 1, static_cast<int>(patience.count())) != 1) fail("the server does not read");
    auto const sent = ::send(socket_, bytes.data(), part(bytes.size()), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) fail("send");
    bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
  }
}

void client::send_frame(std::uint8_t opcode, std::string_view payload, flaws how) {
  std::string bytes;
  bytes.push_back(static_cast<char>((how.final ? 0x80 : 0) | (how.reserved << 4) | opcode));
  auto const mask_bit = how.masked ? 0x80u : 0u;
  if (payload.size() <= 125) {
    put_big_endian(bytes, mask_bit | payload.size(), 1);
  } else if (payload.size() <= 0xFFFF) {
    put_big_endian(bytes, mask_bit | 126u, 1);
    put_big_endian(bytes, payload.size(), 2);
  } else {
    put_big_endian(bytes, mask_bit | 127u, 1);
    put_big_endian(bytes, payload.size(), 8);
  }
  if (how.masked) bytes.append(mask);
  for (std::size_t i = 0; i != payload.size(); ++i)
    bytes.push_back(static_cast<char>(how.masked ? payload[i] ^ mask[i % 4] : payload[i]));
  send_raw(bytes);
}

void client::send_close(std::uint16_t code, std::string_view reason) {
  std::string payload;
  put_big_endian(payload, code, 2);
  send_frame(0x8, payload.append(reason));
}

std::optional<frame> client::receive_frame() {
  if (input_.empty() && !fill()) return std::nullopt;
  auto const head = take(2);
  auto const first = static_cast<std::uint8_t>(head[0]);
  std::uint64_t size = static_cast<std::uint8_t>(head[1]);
  if ((size & 0x80) != 0) throw std::runtime_error("the server masked a frame");
  if (size >= 126) size = get_big_endian(take(size == 126 ? 2 : 8));
  if ((first & 0x70) != 0) throw std::runtime_error("the server set reserved bits");
  return frame{static_cast<std::uint8_t>(first & 0x0F), take(size), (first & 0x80) != 0};
}

std::string client::receive_text() {
  for (;;) {
    auto const next = receive_frame();
    if (!next) throw std::runtime_error("the connection ended instead of a text message");
    if (next->opcode == 0x9) {
      send_frame(0xA, next->payload);
    } else if (next->is_text() && next->final) {
      return next->payload;
    } else {
      throw std::runtime_error("opcode " + std::to_string(next->opcode) + " instead of a text message");
    }
  }
}

closing client::receive_close() {
  for (;;) {
    auto const next = receive_frame();
    if (!next) throw std::runtime_error("the connection ended without a close frame");
    if (next->opcode != 0x8) continue;
    if (next->payload.size() < 2) return {};
    return {static_cast<std::uint16_t>(get_big_endian(next->payload.substr(0, 2))), next->payload.substr(2)};
  }
}

std::string client::receive_head() {
  std::size_t end = 0;
  while ((end = input_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) throw std::runtime_error("the connection ended in a response: " + input_);
  return take(end + 4);
}

std::string client::receive_response() {
  auto response = receive_head();
  constexpr std::string_view length = "\r\nContent-Length: ";
  auto const at = response.find(length);
  if (at != std::string::npos) response += take(std::stoul(response.substr(at + length.size())));
  return response;
}

bool client::at_end() { return input_.empty() && !fill(); }

bool client::readable_within(std::chrono::milliseconds time) {
  pollfd ready{socket_, POLLIN, 0};
  return !input_.empty() || ::poll(&ready, 1, static_cast<int>(time.count())) == 1;
}

void client::finish() { ::shutdown(socket_, SHUT_WR); }

void client::reset() {
  linger const at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(socket_, -1));
}

/// Reads more; false at the end of the connection.
bool client::fill() {
  pollfd ready{socket_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(patience.count())) != 1) throw std::runtime_error("nothing came in time");
  char buffer[64 * 1024];
  auto const received = ::recv(socket_, buffer, part(sizeof buffer), 0);
  if (received > 0) input_.append(buffer, static_cast<std::size_t>(received));
  return received > 0;
}

/// How much of `most` may be read or sent now. A throttled client waits for its next twentieth of a second.
std::size_t client::part(std::size_t most) {
  if (rate_ == 0) return most;
  std::this_thread::sleep_until(next_part_);
  next_part_ = std::max(next_part_, std::chrono::steady_clock::now() - 50ms) + 50ms;
  return std::min(most, rate_ / 20);
}

std::string client::take(std::size_t bytes) {
  while (input_.size() < bytes)
    if (!fill()) throw std::runtime_error("the connection ended within a frame");
  auto taken = input_.substr(0, bytes);
  input_.erase(0, bytes);
  // Tests that look at the memory of this process have many clients in it.
  if (input_.empty()) input_.shrink_to_fit();
  return taken;
}

}  // namespace chorus::test
