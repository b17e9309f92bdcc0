#pragma once
// Who is in a room, under which name, and what an entry of its log means: the fold.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/draft.hpp"
#include "chat/unique_names.hpp"
#include "protocol/event.hpp"

namespace chorus {

/// Everything that a room knows of its members is derived here, by folding its log in order: the same entries give the
/// same state everywhere. No I/O and no clock.
///
/// - A member has the name that it asked for, or the first free of `bob-2`, `bob-3`, ...; the nameless are `user0`,
///   `user1`, ... in the order of their joins, never again while the room lives.
/// - A draft that means nothing at its place (left twice, said by one who is not here, the same count again) becomes an
///   event of kind `nothing`. Nothing is ever refused.
/// - Above `announce_limit` members joins, leaves and renames are not announced; below 7/8 of it they are again.
class roster {
 public:
  /// With a limit of 0 presence is never announced.
  explicit roster(std::size_t announce_limit) : announce_limit_(announce_limit), quiet_(announce_limit == 0) {}

  /// What the next entry means. `seq` is that of the last one and one more.
  event fold(log_entry next);

  /// Of the last entry.
  std::uint64_t seq() const { return seq_; }
  std::size_t users() const { return members_.size(); }
  /// False while the room is too big to tell who is here.
  bool tells_presence() const { return !quiet_; }
  /// Of all members, in the order of their bytes.
  std::vector<std::string> names() const;

 private:
  struct member {
    std::string name;
    std::uint64_t count;  ///< of its last draft
  };

  void join(event& to, draft& wanted);
  void apply(event& to, member& by, draft& wanted);
  void leave(event& to, member_id who);
  void announce(event& presence);

  std::size_t announce_limit_;
  bool quiet_;
  std::uint64_t seq_ = 0;
  std::uint64_t nameless_ = 0;  ///< up to now
  std::unordered_map<member_id, member> members_;
  unique_names names_;
};

}  // namespace chorus
