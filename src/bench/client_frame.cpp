#include "bench/client_frame.hpp"

#include <cstdint>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;

// A key that changes keeps scripts in browsers from writing chosen bytes to the wire (RFC 6455 section 10.3). There is
// no browser here, and a server unmasks any key at the same price.
constexpr std::string_view masking_key = "\x37\xfa\x21\x3d";

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (auto const byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

std::optional<server_frame> parse_frame(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  auto const first = byte_at(bytes, 0);
  auto const second = byte_at(bytes, 1);
  if (second & mask_bit) throw check_failed("the server sent a masked frame");
  if (first & reserved_bits) throw check_failed("the server sent a frame with reserved bits set");

  std::uint64_t length = second;
  std::size_t header = 2;
  if (length == 126 || length == 127) {
    auto const extended = length == 126 ? 2u : 8u;
    header += extended;
    if (bytes.size() < header) return std::nullopt;
    length = big_endian(bytes.substr(2, extended));
  }
  if (bytes.size() - header < length) return std::nullopt;
  return server_frame{static_cast<opcode>(first & 0x0F), (first & final_bit) != 0, bytes.substr(header, length),
                      header + static_cast<std::size_t>(length)};
}

unsigned close_code_of(server_frame const& close) {
  constexpr unsigned no_code = 1005;
  if (close.payload.size() < 2) return no_code;
  return static_cast<unsigned>(big_endian(close.payload.substr(0, 2)));
}

void append_masked_frame(std::string& out, opcode op, std::string_view payload) {
  auto const header = out.size();
  append_frame_header(out, op, payload.size());
  out[header + 1] = static_cast<char>(out[header + 1] | mask_bit);
  out.append(masking_key);
  for (std::size_t i = 0; i != payload.size(); ++i)
    out.push_back(static_cast<char>(payload[i] ^ masking_key[i % masking_key.size()]));
}

}  // namespace chorus::bench
