#pragma once
// What happens in a room.

#include <cstdint>
#include <string>
#include <vector>

namespace chorus {

/// A message that a member said. `seq` is its place in the room's total order, from 1 without holes; the log assigns
/// it.
struct event {
  std::uint64_t seq = 0;
  std::string from;
  std::string text;
};

/// Consecutive events of one room, in order.
using batch = std::vector<event>;

}  // namespace chorus
