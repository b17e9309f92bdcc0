#pragma once
// Why a connection ended, in a word: for metrics, and for whoever searches the log.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chorus {

enum class ending : std::uint8_t {
  closed_by_peer,   ///< with a close frame
  connection_lost,  ///< without one
  protocol_error,   ///< the peer's frames were wrong (RFC 6455 section 7.1.7)
  unsupported_data,
  ping_timeout,
  write_timeout,
  close_timeout,
  no_log,  ///< the room's log took no join
  draining,
  stopped,
  failed,  ///< on our side
};

inline constexpr std::array<std::string_view, 11> ending_names{
    "closed_by_peer", "connection_lost", "protocol_error", "unsupported_data", "ping_timeout", "write_timeout",
    "close_timeout",  "no_log",          "draining",       "stopped",          "failed",
};

constexpr std::size_t index_of(ending why) { return static_cast<std::size_t>(why); }

}  // namespace chorus
