#pragma once
// What a member may ask of its room.

#include <cstdint>
#include <string>
#include <variant>

namespace chorus {

/// A message to all.
struct say {
  std::string text;
  std::string id = {};  ///< the speaker's own mark for it, 1 to 64 printable ASCII characters, or empty
};

/// How many are here, and who.
struct ask_users {};

/// `name` is normalized.
struct rename {
  std::string name;
  std::string id = {};  ///< of the command, as in `say`
};

/// The events `from` to `to` once more, from 1, `from` not after `to`.
struct replay {
  std::uint64_t from;
  std::uint64_t to;
  std::string id = {};  ///< of the command, as in `say`
};

/// The command is wrong; `detail` is a sentence for people, `id` that of the command if it has a valid one.
struct bad_request {
  std::string detail;
  std::string id = {};
};

/// It means nothing in this dialect, and does no harm.
struct ignored {};

/// It is of a kind that the dialect does not take: the connection ends (1003).
struct unacceptable {};

using command = std::variant<ignored, say, ask_users, rename, replay, bad_request, unacceptable>;

}  // namespace chorus
