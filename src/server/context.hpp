#pragma once
// What all connections of a server share.

#include <cstdio>
#include <exception>
#include <spdlog/logger.h>

#include "chat/room.hpp"
#include "protocol/text_dialect.hpp"
#include "server/capacity.hpp"
#include "server/peer.hpp"
#include "server/settings.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// Owned by the server, outlives its connections; executor's thread only.
struct context {
  context(executor ex, settings const& chosen, spdlog::logger& to)
      : options(chosen), log(to), seats(options), lobby(ex), connections(ex, [this](auto error) { report(error); }) {}

  /// Logs what ended a connection: a bug, or the system is out of something.
  void report(std::exception_ptr const& error) const noexcept;

  /// Closes the plain connection that has waited longest. False if there is none.
  bool let_one_go();

  settings const options;
  spdlog::logger& log;
  peer_list waiting;  ///< plain HTTP; who waits longest for a request, since it came or was last answered, comes first
  peer_list sessions;
  capacity seats;
  text_dialect const text;
  room lobby;
  task_group connections;     ///< for each connection one task at a time, and one more while the peer is behind
  bool ready = true;          ///< new clients should come here
  bool draining = false;      ///< the server is stopping: nobody new gets in
  std::uint32_t greeted = 0;  ///< sessions up to now
};

inline void context::report(std::exception_ptr const& error) const noexcept {
  try {
    log.error("a connection failed: {}", describe(error));
  } catch (...) {
    std::fputs("a connection failed, and so did the log\n", stderr);
  }
}

inline bool context::let_one_go() {
  auto* const longest = first_of(waiting);
  if (longest == nullptr) return false;
  longest->abort(farewells::stopped);
  longest->unlink();
  return true;
}

}  // namespace chorus
