#pragma once
// What the floor knows of HTTP and WebSocket (RFC 6455): one upgrade request, and frames that are whole messages.
// Pure functions over bytes. Beast lends the hash of the handshake.

#include <algorithm>
#include <boost/beast/websocket/detail/hybi13.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace wire {

// First bytes of frames that are whole messages (section 5.2).
constexpr unsigned char text = 0x81, close = 0x88, ping = 0x89, pong = 0x8A;

constexpr std::string_view normal_closure = "\x88\x02\x03\xE8";

/// What stands between the method and the version in a request.
inline std::string path_of(std::string_view request) {
  auto const begin = std::min(request.find(' '), request.size() - 1) + 1;
  return std::string(request.substr(begin, request.find(' ', begin) - begin));
}

/// The answer to an upgrade request; empty if its key is missing or none.
inline std::string accept_upgrade(std::string const& request) {
  namespace websocket = boost::beast::websocket::detail;
  static constexpr std::string_view field = "\r\nSec-WebSocket-Key:";
  auto const* const found = ::strcasestr(request.c_str(), field.data());
  if (found == nullptr) return {};
  auto const* const key = found + field.size() + std::strspn(found + field.size(), " ");
  auto const key_size = std::strcspn(key, " \r");
  if (key_size != websocket::sec_ws_key_type::static_capacity) return {};
  websocket::sec_ws_accept_type accept;
  websocket::make_sec_ws_accept(accept, {key, key_size});
  std::string answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  return answer.append("Sec-WebSocket-Accept: ").append(accept.data(), accept.size()).append("\r\n\r\n");
}

/// An unmasked frame, as servers send them. The payload is given in two parts to spare the caller a copy.
inline void append_frame(std::string& to, unsigned char first_byte, std::string_view payload,
                         std::string_view rest_of_payload = {}) {
  std::uint64_t const size = payload.size() + rest_of_payload.size();
  int const length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  to += static_cast<char>(first_byte);
  to += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int shift = 8 * (length_bytes - 1); shift >= 0; shift -= 8) to += static_cast<char>(size >> shift);
  to.append(payload).append(rest_of_payload);
}

struct frame {
  std::size_t size = 0;  // all bytes of the frame; 0 while it is not complete
  bool valid = true;
  unsigned char first_byte = 0;
  std::string_view payload = {};
};

/// The frame at the beginning of `input`, which is unmasked in place. `max_size` bounds its payload.
inline frame parse_frame(char* input, std::size_t available, std::size_t max_size) {
  auto const byte = [input](std::size_t at) { return static_cast<unsigned char>(input[at]); };
  if (available < 2) return {};
  std::size_t header = 2;
  std::uint64_t length = byte(1) & 0x7F;
  if (length >= 126) {
    header += length == 126 ? 2 : 8;
    if (available < header) return {};
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8 | byte(i);
  }
  bool const masked = (byte(1) & 0x80) != 0;
  if (!masked || length > max_size) return {.valid = false};
  auto const* const mask = input + header;
  auto* const payload = input + header + 4;
  auto const size = header + 4 + length;
  if (available < size) return {};
  for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  return {size, true, byte(0), {payload, length}};
}

}  // namespace wire
