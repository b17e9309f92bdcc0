#pragma once
// WebSocket frames as a server sends them (RFC 6455 section 5.2): unmasked and unfragmented, so one encoding serves
// every peer.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chorus {

/// RFC 6455 section 11.8.
enum class opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

/// The close codes that Chorus sends on its own account (RFC 6455 section 7.4, and the registry for 1012 and 1013).
enum class close_code : std::uint16_t {
  going_away = 1001,
  unsupported_data = 1003,
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
};

/// Size of the header of an unmasked frame: 2, 4 or 10 bytes.
std::size_t frame_header_size(std::size_t payload_size) noexcept;

/// Appends the header of a final frame. The caller appends exactly `payload_size` bytes after it; control frames take
/// at most 125.
void append_frame_header(std::string& out, opcode op, std::size_t payload_size);

/// Appends a whole final frame.
void append_frame(std::string& out, opcode op, std::string_view payload);

/// A close frame (RFC 6455 section 5.5.1); `reason` is UTF-8 of at most 123 bytes.
std::string encode_close(close_code code, std::string_view reason);

/// True if `bytes` begin with the header of a close frame.
bool is_close_frame(std::string_view bytes) noexcept;

}  // namespace chorus
