#pragma once
// What a client asks for in the URL of its room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/cursor.hpp"

namespace chorus {

inline constexpr std::string_view default_room = "lobby";
inline constexpr std::size_t max_room_name_size = 64;

/// `/chat` or `/chat/{room}`, and the query.
struct join_request {
  std::string room{default_room};  ///< 1 to 64 of `A-Z a-z 0-9 . _ -`, and neither `.` nor `..`
  std::string name;                ///< normalized; empty is nameless
  std::uint64_t history = 0;       ///< the stream is to begin with the last so many messages
  std::optional<cursor> since;     ///< the stream is to begin after that; wins over `history`
};

/// True for `/chat` and everything below it.
bool is_chat_path(std::string_view target);

/// Reads the target of a request for which `is_chat_path` holds, percent-encoded as it came (RFC 3986). Of a parameter
/// that is given twice the last counts; unknown ones are ignored. What is wrong comes back as a sentence for people.
std::variant<join_request, std::string> parse_join_request(std::string_view target);

}  // namespace chorus
