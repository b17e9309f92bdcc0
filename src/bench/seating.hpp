#pragma once
// Who is in which room, and who speaks there.

#include <cstddef>
#include <vector>

namespace chorus::bench {

/// Participants go to the rooms by turns, in the order of their indices. Senders are numbered room by room.
struct seating {
  std::size_t rooms = 1;
  std::size_t senders_each = 1;  ///< in each room

  std::size_t senders() const { return rooms * senders_each; }
  std::size_t room_of_participant(std::size_t index) const { return index % rooms; }
  std::size_t room_of_sender(std::size_t sender) const { return sender / senders_each; }

  /// The index of the participant that becomes that sender, when there are so many participants: senders are spread
  /// evenly over their room.
  std::size_t seat_of(std::size_t sender, std::size_t participants) const;
  /// How many of so many messages each sender says: as many as any other, or one more.
  std::vector<std::size_t> shares(std::size_t messages) const;
};

/// Consecutive numbers.
struct block {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// What is the `part`th of `parts` when they divide `all` among themselves, in order and as evenly as can be.
block part_of(block all, std::size_t part, std::size_t parts);

}  // namespace chorus::bench
