#pragma once
// WebSocket frames as a client sees them (RFC 6455 section 5.2): those that it sends are masked, those that come are
// not.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/frame.hpp"

namespace chorus::bench {

inline constexpr std::size_t read_size = 64 * 1024;  ///< in bytes, of what frames are parsed from

/// A frame that came.
struct server_frame {
  opcode op;
  bool final;
  std::string_view payload;  ///< in the bytes that were parsed
  std::size_t size;          ///< of the whole frame, in bytes
};

/// The first frame in `bytes`; nothing if it is not complete. Throws `check_failed` for what a server must not send
/// to a client that asked for no extension.
std::optional<server_frame> parse_frame(std::string_view bytes);

/// What a close frame says, 1005 if it has no code (RFC 6455 section 7.1.5).
unsigned close_code_of(server_frame const& close);

/// Appends a whole final frame, masked.
void append_masked_frame(std::string& out, opcode op, std::string_view payload);

}  // namespace chorus::bench
