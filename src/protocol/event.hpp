#pragma once
// What happens in a room, as its members are told of it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace chorus {

/// Something that happened at one place in a room's total order. `seq` is that place, from 1 without holes. Names and
/// counts are those that held at that place.
struct event {
  enum class kind : std::uint8_t { message, joined, left, renamed, nothing };

  std::uint64_t seq = 0;
  std::int64_t at = 0;    ///< when it was said or done, in milliseconds since the Unix epoch
  std::size_t users = 0;  ///< how many are in the room after it
  kind what = kind::nothing;
  bool announced = false;       ///< members are told of it
  bool turns_presence = false;  ///< from here on presence is announced, or no more; all are told `users`
  std::string name = {};        ///< who it was
  std::string text = {};        ///< of a message what was said, of a rename the new name
  std::string id = {};          ///< of a message the speaker's own mark for it, or empty
};

/// Consecutive events of one room, in order.
using batch = std::vector<event>;

inline bool is_message(event const& e) { return e.what == event::kind::message; }

/// Members hear of it in one way or the other.
inline bool is_told(event const& e) { return e.announced || e.turns_presence; }

}  // namespace chorus
