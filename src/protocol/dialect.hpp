#pragma once
// The seam between what happens in a room and how one kind of client hears and says it.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/command.hpp"
#include "protocol/event.hpp"
#include "protocol/frame.hpp"
#include "support/packet.hpp"

namespace chorus {

/// What a newcomer is told.
struct welcome {
  std::string_view room;
  std::string_view name;  ///< its own
  std::size_t users;      ///< with itself
  std::uint64_t epoch;    ///< when the room was created, in milliseconds since the Unix epoch
  std::uint64_t seq;      ///< every announced event after it follows, save for gaps that are named
  bool recovered;         ///< nothing is missing since the cursor that it came with
};

/// Why something that a member asked for did not happen.
enum class refusal : std::uint8_t {
  bad_request,  ///< the command is wrong
  unavailable,  ///< the log could not take it
};

/// Encodes for clients and decodes what they send. Stateless and pure: one object serves all connections that speak the
/// dialect, so the broadcaster encodes a batch once per dialect. What the encoders return are whole WebSocket frames,
/// or nothing where the dialect has no word for it.
class dialect {
 public:
  virtual ~dialect() = default;

  /// The first thing that a member receives.
  virtual std::string greeting(welcome const& to) const = 0;
  /// Consecutive events of one room. What is not announced is left out.
  virtual std::string encode(std::span<event const> events) const = 0;
  /// The notice that these events will not come.
  virtual std::string gap(event_range const& missed) const = 0;
  /// How many are in the room, and who; `names` is null where they are too many.
  virtual std::string users(std::size_t count, std::vector<std::string> const* names) const = 0;
  /// The end of a replay, and what it covered.
  virtual std::string replayed(std::uint64_t from, std::uint64_t to) const = 0;
  /// `id` is that of the command, or empty.
  virtual std::string error(refusal why, std::string_view detail, std::string_view id) const = 0;

  /// What a message of the given opcode (text, valid UTF-8, or binary) says.
  virtual command decode(opcode op, std::string_view payload) const = 0;
};

/// Which dialect a connection speaks.
enum class dialect_id : std::uint8_t { text, json };
inline constexpr std::array all_dialects = {dialect_id::text, dialect_id::json};
inline constexpr std::size_t dialect_count = all_dialects.size();

/// Its place in tables of something for each dialect.
constexpr std::size_t index_of(dialect_id which) { return static_cast<std::size_t>(which); }

/// What a client asks for to speak it (RFC 6455 section 1.9); who asks for none of these speaks the first.
inline constexpr auto subprotocols = std::to_array<std::string_view>({"", "chorus.v1"});
static_assert(subprotocols.size() == dialect_count);

/// All of them, by `dialect_id`. They outlive whoever uses them.
class dialect_table {
 public:
  template <std::derived_from<dialect>... Each>
    requires(sizeof...(Each) == dialect_count)
  explicit dialect_table(Each const&... each) : all_{&each...} {}

  dialect const& operator[](dialect_id which) const { return *all_[index_of(which)]; }

 private:
  std::array<dialect const*, dialect_count> all_;
};

}  // namespace chorus
