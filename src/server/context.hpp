#pragma once
// What all connections of a server share.

#include <spdlog/logger.h>

#include "chat/names.hpp"
#include "chat/room.hpp"
#include "protocol/text_dialect.hpp"
#include "server/capacity.hpp"
#include "server/peer.hpp"
#include "server/settings.hpp"

namespace chorus {

/// Owned by the server, outlives its connections; executor's thread only.
struct context {
  context(executor ex, settings const& chosen, spdlog::logger& to)
      : options(chosen), log(to), seats(options), lobby(ex) {}

  settings const options;
  spdlog::logger& log;
  peer_list peers;
  capacity seats;
  name_sequence names;
  text_dialect const text;
  room lobby;
  bool draining = false;  ///< the server is stopping: nobody new gets in
};

}  // namespace chorus
