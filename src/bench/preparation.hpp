#pragma once
// Before a run: the server under test, and what this process needs of the system.

#include <cstddef>
#include <memory>
#include <vector>

#include "protocol/url.hpp"
#include "support/asio.hpp"
#include "tls/tls_context.hpp"

namespace chorus::bench {

struct target {
  websocket_url url;
  tcp::endpoint endpoint;
  bool json_dialect = false;                   ///< it is to speak chorus.v1
  std::shared_ptr<tls_context> tls = nullptr;  ///< for wss
};

/// Resolves the host (blocking; before the run). Throws `cli::usage_error` if there is no such host, or if it is not
/// this machine although `only_loopback`: a load test does harm to a server that is not one's own.
target resolve(websocket_url url, bool only_loopback);

/// The target itself if `rooms` is 0, or else so many rooms in it: `{path}/room0`, `{path}/room1`, ...
std::vector<target> rooms_of(target const& server, std::size_t rooms);

/// Lets this process open `connections` connections at once, as far as the hard limit goes. Throws
/// `std::runtime_error` that says what to do if it goes not far enough.
void allow_connections(std::size_t connections);

/// Keeps this thread, and those that it starts from now on, on one core. Throws `cli::usage_error` if there is no such
/// core.
void pin_to_cpu(unsigned cpu);

}  // namespace chorus::bench
