#pragma once
// All connections of a server: who is there, and who may still come.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <spdlog/logger.h>

#include "chat/directory.hpp"
#include "protocol/dialect.hpp"
#include "server/capacity.hpp"
#include "server/peer.hpp"
#include "server/settings.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// Owned by the server, outlives every connection; executor's thread only. What it is given outlives it.
struct connections {
  connections(executor ex, settings const& chosen, spdlog::logger& to, directory& all_rooms, dialect_table spoken)
      : options(chosen), log(to), rooms(all_rooms), dialects(spoken), seats(options), tasks(ex, [this](auto error) {
          report(error);
        }) {}

  /// Logs what ended a connection: a bug, or the system is out of something.
  void report(std::exception_ptr const& error) const noexcept;

  /// Closes the plain connection that has waited longest. False if there is none.
  bool let_one_go();

  settings const& options;
  spdlog::logger& log;
  directory& rooms;
  dialect_table const dialects;

  peer_list waiting;  ///< plain HTTP; who waits longest for a request, since it came or was last answered, comes first
  peer_list sessions;
  capacity seats;
  task_group tasks;                ///< for each connection one at a time, and one more while the peer is behind
  bool ready = true;               ///< new clients should come here
  bool draining = false;           ///< the server is stopping: nobody new gets in
  std::uint32_t sessions_yet = 0;  ///< since the beginning
};

inline void connections::report(std::exception_ptr const& error) const noexcept {
  try {
    log.error("a connection failed: {}", describe(error));
  } catch (...) {
    std::fputs("a connection failed, and so did the log\n", stderr);
  }
}

inline bool connections::let_one_go() {
  auto* const longest = first_of(waiting);
  if (longest == nullptr) return false;
  longest->abort(farewells::stopped);
  longest->unlink();
  return true;
}

}  // namespace chorus
