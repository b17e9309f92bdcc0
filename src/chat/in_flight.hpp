#pragma once
// Which drafts of this server are on their way through a room's log.

#include <cstdint>
#include <unordered_map>

#include "chat/draft.hpp"

namespace chorus {

/// Counts the drafts that were appended and those that have come back, of each member those that are still missing; so
/// a draft that the log yields twice, or that is another server's, is told from one that is waited for. Pure.
class in_flight {
 public:
  /// The member's next draft is in the log.
  void appended(member_id who, std::uint64_t count) {
    missing_.try_emplace(who, missing{count, count - 1}).first->second.appended = count;
    ++appended_;
  }

  /// The log has yielded a draft. True if that was waited for.
  bool came_back(draft const& one) {
    auto const found = missing_.find(one.from);
    if (found == missing_.end() || one.count <= found->second.returned) return false;
    found->second.returned = one.count;
    ++returned_;
    if (one.count == found->second.appended) forget(found);
    return true;
  }

  /// How many, since the beginning.
  std::uint64_t appended() const { return appended_; }
  std::uint64_t returned() const { return returned_; }

 private:
  struct missing {
    std::uint64_t appended;  ///< the last draft, by its count
    std::uint64_t returned;  ///< the last draft that has come back
  };
  using by_member = std::unordered_map<member_id, missing>;

  void forget(by_member::iterator gone) {
    missing_.erase(gone);
    // What grew with many at once goes with the last.
    if (missing_.empty() && missing_.bucket_count() > small) missing_ = {};
  }

  static constexpr std::size_t small = 16;

  by_member missing_;
  std::uint64_t appended_ = 0;
  std::uint64_t returned_ = 0;
};

}  // namespace chorus
