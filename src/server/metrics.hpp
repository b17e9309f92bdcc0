#pragma once
// What the server tells of itself, as Prometheus reads it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chat/room_tally.hpp"
#include "server/process_figures.hpp"
#include "server/tally.hpp"

namespace chorus {

/// One shard, as its own thread has seen it.
struct shard_reading {
  session_tally sessions;
  room_tally rooms;
  std::size_t room_count = 0;     ///< rooms whose home it is
  std::size_t history_bytes = 0;  ///< what their histories take
  std::size_t behind = 0;         ///< sessions for which something waits
  std::size_t waiting_bytes = 0;  ///< for all of them
};

/// The whole server.
struct server_reading {
  std::vector<shard_reading> shards;
  admission_tally admission;
  std::size_t http_connections = 0;  ///< that are no WebSockets
  bool ready = true;
  std::int64_t certificate_expiry = 0;  ///< in seconds since the Unix epoch; 0 without TLS
  process_figures process;
};

/// In the text format of Prometheus, version 0.0.4. The names are those of docs/operations.md.
std::string to_prometheus(server_reading const& now);

}  // namespace chorus
