#pragma once
// Why the server ends a connection.

#include <string>
#include <string_view>

#include "protocol/frame.hpp"
#include "server/ending.hpp"
#include "support/packet.hpp"

namespace chorus {

/// A close frame for the peer and the same reason for the log. Encoded once for all peers.
struct farewell {
  ending what;
  std::string why;
  packet_ptr frame;

  farewell(ending as, close_code code, std::string_view reason)
      : what(as), why(reason), frame(make_packet(encode_close(code, reason))) {}
};

namespace farewells {

inline farewell const failed(ending::failed, close_code::internal_error, "Internal error");
inline farewell const ping_timeout(ending::ping_timeout, close_code::internal_error, "Ping timeout");
inline farewell const write_timeout(ending::write_timeout, close_code::try_again_later, "Write timeout");
inline farewell const close_timeout(ending::close_timeout, close_code::going_away, "Close timeout");
inline farewell const text_only(ending::unsupported_data, close_code::unsupported_data, "Text messages only");
inline farewell const no_log(ending::no_log, close_code::try_again_later, "The room cannot be joined now");
inline farewell const draining(ending::draining, close_code::service_restart, "Server is stopping");
inline farewell const stopped(ending::stopped, close_code::going_away, "Server has stopped");

}  // namespace farewells

}  // namespace chorus
