#pragma once
// What all rooms on one shard share.

#include <cstdint>

#include "chat/crossing.hpp"
#include "chat/history.hpp"
#include "chat/room_settings.hpp"
#include "chat/room_tally.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Owned by the shard's part of the rooms, outlives them all; executor's thread only.
struct room_commons {
  executor ex;
  room_settings const& options;
  dialect_table dialects;
  std::int64_t (*now)();  ///< milliseconds since the Unix epoch
  history_memory memory;
  member_id last_member;  ///< its node and shard are those of all members here
  room_tally tally = {};

  member_id next_member() {
    ++last_member.number;
    return last_member;
  }
  shard_id shard() const { return last_member.shard; }
};

}  // namespace chorus
