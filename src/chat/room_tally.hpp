#pragma once
// What the rooms on a shard have done since the beginning, and what they are now.

#include <cstddef>
#include <cstdint>
#include <string>

#include "support/histogram.hpp"

namespace chorus {

/// Plain numbers that only grow, of one shard; a copy is a reading.
struct room_tally {
  std::uint64_t messages = 0;    ///< said in rooms whose home is here
  std::uint64_t deliveries = 0;  ///< messages pushed to members here, one for each of them
  histogram batch_messages;      ///< of what was fanned out here
  histogram fan_out;             ///< how long each took, with what else had a turn meanwhile, in microseconds

  room_tally& operator+=(room_tally const& other) {
    messages += other.messages;
    deliveries += other.deliveries;
    batch_messages += other.batch_messages;
    fan_out += other.fan_out;
    return *this;
  }
};

/// A room as its home knows it.
struct room_reading {
  std::string name;
  std::uint64_t epoch;
  std::size_t users;
  std::uint64_t events;    ///< in its log
  std::uint64_t messages;  ///< the same
};

}  // namespace chorus
