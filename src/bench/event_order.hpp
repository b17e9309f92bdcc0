#pragma once
// The check of `seq`, which numbers what happens in a room: a receiver of the JSON dialect hears of everything, in
// order, or of a gap.

#include <cstdint>
#include <optional>
#include <string>

#include "bench/json_event.hpp"

namespace chorus::bench {

/// One receiver's way through the events of its room. `seq` rises by one, but over gaps that are named, and over
/// presence while that is not announced. A receiver knows that it is announced from any such event on, until it is told
/// of a turn, or of a gap that may hide one; and if its own joining was announced, it was so from the welcome on.
class event_order {
 public:
  /// The receiver got this event. Throws `check_failed` if another one was due.
  void heard(json_event const& what);

 private:
  void follow(welcome const& greeting);
  void follow(message const& said);
  void follow(presence const& change);
  void follow(gap const& missing);
  void follow(turn const&);
  /// The next event, or the first that is missing, has that `seq`.
  void advance_to(std::uint64_t seq);

  std::optional<std::uint64_t> last_;  ///< nothing before the welcome
  std::string own_name_;
  bool holes_are_faults_ = false;
};

}  // namespace chorus::bench
