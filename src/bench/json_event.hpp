#pragma once
// The JSON dialect (design.md, section 5), as far as the check needs it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "bench/stamp.hpp"

namespace chorus::bench {

/// Greets a receiver, which has that name: the events after `seq` follow.
struct welcome {
  std::uint64_t seq;
  std::string name;
};

/// Somebody said something; nothing as `id` if it is none of our texts.
struct message {
  std::uint64_t seq;
  std::optional<message_id> id;
};

/// Somebody of that name joined, left or was renamed.
struct presence {
  std::uint64_t seq;
  std::string name;
};

/// The events `from` to `to`, inclusive, do not come.
struct gap {
  std::uint64_t from;
  std::uint64_t to;
};

/// How many there are, which nobody asked for: presence is not announced any more, or is again.
struct turn {};

using json_event = std::variant<welcome, message, presence, gap, turn>;

/// What a text message from the server says. Throws `check_failed` if it is an error, an answer to what was not asked
/// or no event at all, and like `find_stamp`.
json_event parse_json_event(std::string_view text);

/// The command that says a text. JSON must not escape anything in it.
std::string say_command(std::string_view text);

}  // namespace chorus::bench
