#pragma once
// What all connections of a server share.

#include <exception>
#include <spdlog/logger.h>

#include "chat/names.hpp"
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

  /// Logs what left a task: a bug, or the system is out of something.
  void report(std::exception_ptr const& error) const;

  settings const options;
  spdlog::logger& log;
  peer_list peers;
  capacity seats;
  name_sequence names;
  text_dialect const text;
  room lobby;
  task_group connections;  ///< for each connection one task at a time, and one more while the peer is behind
  bool draining = false;   ///< the server is stopping: nobody new gets in
};

inline void context::report(std::exception_ptr const& error) const {
  try {
    std::rethrow_exception(error);
  } catch (std::exception const& e) {
    log.error("a task failed: {}", e.what());
  }
}

}  // namespace chorus
