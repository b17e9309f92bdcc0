#pragma once
// The seam between what happens in a room and how one kind of client hears and says it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/event.hpp"
#include "protocol/frame.hpp"

namespace chorus {

/// Encodes for clients and decodes what they send. Stateless and pure: one object serves all connections that speak the
/// dialect, so the broadcaster encodes a batch once per dialect. What the encoders return are whole WebSocket frames.
class dialect {
 public:
  virtual ~dialect() = default;

  /// The first thing that a member receives; `users` counts the member.
  virtual std::string greeting(std::size_t users) const = 0;
  /// Consecutive events of one room, as one or more frames.
  virtual std::string encode(std::span<event const> events) const = 0;
  /// The notice that the events `first` to `last` (inclusive `seq`) will not come.
  virtual std::string gap(std::uint64_t first, std::uint64_t last) const = 0;

  /// What a member says with a message of the given opcode (text, valid UTF-8, or binary); nothing if it says nothing.
  virtual std::optional<std::string> decode(opcode op, std::string_view payload) const = 0;
};

}  // namespace chorus
