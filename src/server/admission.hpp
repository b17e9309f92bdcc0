#pragma once
// What the server has once, on the shard that accepts: who may come in, and where they go.

#include "chat/directory.hpp"
#include "server/address.hpp"
#include "server/capacity.hpp"
#include "server/shard.hpp"

namespace chorus {

/// Connections until they are WebSockets, and the places of all. Limits are exact since only this thread counts.
///
/// Owned by the server, outlives every connection; the accepting shard's thread only. What it is given outlives it.
struct admission {
  admission(shard& accepting, std::span<shard_rooms* const> all)
      : at(accepting), seats(at.options), rooms(at.options.rooms, all) {}

  /// By when a request that is begun to wait for now must be complete.
  clock::time_point deadline() const;

  /// Closes the plain connection that has waited longest. False if there is none.
  bool let_one_go();

  /// Logs and counts a connection that is closed unanswered.
  void turned_away(tcp::endpoint const& from);

  shard& at;
  peer_list waiting;  ///< plain HTTP; who waits longest for a request, since it came or was last answered, comes first
  capacity seats;
  directory rooms;
  bool ready = true;  ///< new clients should come here
  admission_tally tally;
  bool draining = false;  ///< the server is stopping: nobody new gets in
};

inline clock::time_point admission::deadline() const {
  auto const timeout = at.options.handshake_timeout;
  return timeout == duration::zero() ? clock::time_point::max() : clock::now() + timeout;
}

inline void admission::turned_away(tcp::endpoint const& from) {
  at.log.debug("turned_away", {{"address", from}});
  ++tally.refused["no_place"];
}

/// What a WebSocket takes here, from before its upgrade is answered until it has ended.
struct berth {
  capacity::seat connection;
  directory::seat place;
};

inline bool admission::let_one_go() {
  auto* const longest = first_of(waiting);
  if (longest == nullptr) return false;
  longest->abort(farewells::stopped);
  longest->unlink();
  return true;
}

}  // namespace chorus
