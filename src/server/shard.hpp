#pragma once
// What each thread of the server has for itself.

#include <boost/asio/co_spawn.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <utility>

#include "chat/shard_rooms.hpp"
#include "protocol/dialect.hpp"
#include "server/logging.hpp"
#include "server/peer.hpp"
#include "server/settings.hpp"
#include "server/tally.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// A thread and its event loop, the WebSockets that it serves for their whole life, the rooms whose home it is, and its
/// part of those that are at home elsewhere. What the server has once is in admission.hpp; what may cross from one
/// shard to another chat/crossing.hpp says.
///
/// Owned by the server, outlives every session on it; its executor's thread only. What it is given outlives it.
struct shard {
  /// `failed` is told, on this thread, why a room cannot go on.
  shard(executor loop, member_id which, settings const& chosen, logger& to, dialect_table spoken,
        shard_rooms::log_factory make_log, task_group::error_handler failed)
      : ex(loop),
        options(chosen),
        log(to),
        dialects(spoken),
        rooms(ex, which, options.rooms, dialects, std::move(make_log), std::move(failed)),
        tasks(ex, [this](auto error) { report(error); }),
        upkeep(ex) {}

  /// Logs what ended a connection: a bug, or the system is out of something.
  void report(std::exception_ptr const& error) const noexcept;

  executor const ex;
  settings const& options;
  logger& log;
  dialect_table const dialects;

  shard_rooms rooms;
  peer_list sessions;
  task_group tasks;                ///< for each connection one at a time, and one more while the peer is behind
  task_group upkeep;               ///< what watches over the sessions: cancelled last
  std::uint32_t sessions_yet = 0;  ///< since the beginning
  bool aborted = false;            ///< the server stops at once
  session_tally tally;
};

/// Runs a task on another shard, and returns here, with its result, when it has ended.
template <class T>
awaitable<T> run_on(shard& there, awaitable<T> task) {
  return net::co_spawn(there.ex, std::move(task), use_awaitable);
}

inline void shard::report(std::exception_ptr const& error) const noexcept {
  try {
    log.error("connection_failed", {{"reason", describe(error)}});
  } catch (...) {
    std::fputs("a connection failed, and so did the log\n", stderr);
  }
}

}  // namespace chorus
