#pragma once
// What members want, and the place in the log that it gets. Values: they may cross threads and machines.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace chorus {

/// Who signs a draft. A value that is never used for another member.
struct member_id {
  std::uint32_t node = 0;    ///< which run of which server
  std::uint32_t shard = 0;   ///< the thread of it that the member is connected to
  std::uint64_t number = 0;  ///< its members, counted from 1

  friend auto operator<=>(member_id const&, member_id const&) = default;
};

/// What a member wants. What comes of it the fold says (roster.hpp), at its place in the log.
struct draft {
  enum class kind : std::uint8_t { join, say, rename, leave };

  member_id from;
  std::uint64_t count = 0;  ///< of the member's drafts, from 1; the same count again is the same draft again
  std::int64_t at = 0;      ///< milliseconds since the Unix epoch
  kind wants = kind::say;
  std::string text = {};  ///< what is said, or the normalized name that is wanted; empty is a nameless join
  std::string id = {};    ///< the member's own mark for it, or empty
};

/// What it takes while it is on its way, in bytes.
inline std::size_t size_of(draft const& d) { return sizeof(draft) + d.text.size() + d.id.size(); }

/// A draft that has its place. `seq` rises from 1 without holes.
struct log_entry {
  std::uint64_t seq = 0;
  draft what;
};

}  // namespace chorus

template <>
struct std::hash<chorus::member_id> {
  std::size_t operator()(chorus::member_id const& id) const noexcept {
    auto const where = std::uint64_t{id.node} << 32 | id.shard;
    return std::hash<std::uint64_t>()(id.number ^ where * 0x9E3779B97F4A7C15U);
  }
};
