#pragma once
// What an operator can choose about rooms.

#include <chrono>
#include <cstddef>

namespace chorus {

/// Plain values with the documented defaults.
struct room_settings {
  std::size_t history_messages = 1000;             ///< kept of each room, with what lies between them; 0: none
  std::size_t history_bytes = 1024 * 1024;         ///< kept of each room; 0: none
  std::size_t history_memory = 256 * 1024 * 1024;  ///< for the history of all rooms; 0 is no limit
  std::chrono::milliseconds history_ttl = std::chrono::hours(1);  ///< a room outlives its last member by that much
  std::size_t max_rooms = 10000;                                  ///< 0 is no limit
  std::size_t announce_limit = 1000;  ///< presence is not announced above so many members; 0: never
  std::size_t large_room = 256;       ///< above so many members a room spans all threads

  bool operator==(room_settings const&) const = default;
};

}  // namespace chorus
