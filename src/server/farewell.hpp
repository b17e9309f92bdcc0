#pragma once
// Why the server ends a connection.

#include <string>
#include <string_view>

#include "protocol/frame.hpp"
#include "support/packet.hpp"

namespace chorus {

/// A close frame for the peer and the same reason for the log. Encoded once for all peers.
struct farewell {
  std::string why;
  packet_ptr frame;

  farewell(close_code code, std::string_view reason) : why(reason), frame(make_packet(encode_close(code, reason))) {}
};

namespace farewells {

inline farewell const failed(close_code::internal_error, "Internal error");
inline farewell const ping_timeout(close_code::internal_error, "Ping timeout");
inline farewell const write_timeout(close_code::try_again_later, "Write timeout");
inline farewell const close_timeout(close_code::going_away, "Close timeout");
inline farewell const text_only(close_code::unsupported_data, "Text messages only");
inline farewell const no_log(close_code::try_again_later, "The room cannot be joined now");
inline farewell const draining(close_code::service_restart, "Server is stopping");
inline farewell const stopped(close_code::going_away, "Server has stopped");

}  // namespace farewells

}  // namespace chorus
