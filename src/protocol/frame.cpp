#include "protocol/frame.hpp"

#include <cassert>

namespace chorus {

namespace {

constexpr std::size_t max_7bit_length = 125;
constexpr std::size_t max_16bit_length = 0xFFFF;
constexpr std::uint8_t fin = 0x80;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>((value >> shift) & 0xFF));
}

std::uint8_t first_byte(opcode op) noexcept { return static_cast<std::uint8_t>(fin | static_cast<std::uint8_t>(op)); }

}  // namespace

std::size_t frame_header_size(std::size_t payload_size) noexcept {
  if (payload_size <= max_7bit_length) return 2;
  return payload_size <= max_16bit_length ? 4 : 10;
}

void append_frame_header(std::string& out, opcode op, std::size_t payload_size) {
  out.push_back(static_cast<char>(first_byte(op)));
  if (payload_size <= max_7bit_length) {
    append_big_endian(out, payload_size, 1);
  } else if (payload_size <= max_16bit_length) {
    out.push_back(126);
    append_big_endian(out, payload_size, 2);
  } else {
    out.push_back(127);
    append_big_endian(out, payload_size, 8);
  }
}

void append_frame(std::string& out, opcode op, std::string_view payload) {
  append_frame_header(out, op, payload.size());
  out.append(payload);
}

std::string encode_close(close_code code, std::string_view reason) {
  assert(reason.size() <= max_7bit_length - 2);
  std::string frame;
  append_frame_header(frame, opcode::close, 2 + reason.size());
  append_big_endian(frame, static_cast<std::uint64_t>(code), 2);
  frame.append(reason);
  return frame;
}

bool is_close_frame(std::string_view bytes) noexcept {
  return !bytes.empty() && static_cast<std::uint8_t>(bytes.front()) == first_byte(opcode::close);
}

}  // namespace chorus
