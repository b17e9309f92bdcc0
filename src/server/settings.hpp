#pragma once
// Everything about the server that its operator can choose.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chat/room_settings.hpp"
#include "server/address_range.hpp"
#include "tls/tls_context.hpp"

namespace chorus {

using duration = std::chrono::milliseconds;

/// Beast throws when a single header field is larger than about this.
constexpr std::size_t most_max_header_size = 63 * 1024;

/// Plain values with the documented defaults. A duration of 0 switches its timeout off; a size or count of 0 its limit,
/// unless it says otherwise.
struct settings {
  boost::asio::ip::address address = boost::asio::ip::make_address("0.0.0.0");
  std::uint16_t port = 8080;  ///< 0: the system picks a free one
  /// Where operators ask, on TCP or a Unix socket; nothing is nowhere.
  std::optional<boost::asio::generic::stream_protocol::endpoint> admin =
      boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 9180);

  std::optional<boost::asio::ip::tcp::endpoint> tls_address;  ///< listen there too, with TLS
  tls_files tls;                                              ///< for that

  std::size_t threads = 0;  ///< event loops, each in a thread of its own; 0: as many as `usable_cpus`
  duration slow_turn{0};    ///< a turn of an event loop that takes more CPU time is logged

  duration handshake_timeout = std::chrono::seconds(10);  ///< from accept, or the last answer, to the end of a request
  duration ping_interval = std::chrono::seconds(15);
  duration ping_timeout = std::chrono::seconds(15);   ///< for the answer to a ping, and to a close frame
  duration write_timeout = std::chrono::seconds(10);  ///< without the peer acknowledging a byte while some wait for it
  duration drain_delay = std::chrono::seconds(0);     ///< between not being ready any more and the drain
  duration drain_timeout = std::chrono::seconds(10);  ///< for peers to go when the server stops; here 0 is "at once"

  std::size_t max_header_size = 8 * 1024;
  std::size_t max_message_size = 64 * 1024;
  std::size_t outbound_limit = 1024 * 1024;
  std::size_t unsent_limit = 64 * 1024;  ///< bytes that the kernel takes for a peer and cannot send yet
  std::size_t max_connections = 10000;   ///< WebSockets
  std::size_t max_connections_per_address = 0;

  std::size_t rate_limit = 0;    ///< messages per second and connection that are read
  std::size_t rate_burst = 100;  ///< so many may come at once before that; at least 1

  room_settings rooms;

  bool page = true;                        ///< serve it at /
  std::vector<std::string> allow_origins;  ///< besides the server's own host; `*` is all

  std::vector<address_range> trusted_proxies;  ///< they say for whom they speak

  bool operator==(settings const&) const = default;
};

}  // namespace chorus
