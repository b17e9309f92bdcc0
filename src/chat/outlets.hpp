#pragma once
// All audiences of a room: that of its own shard, by calls, and those of other shards, by posts.

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "chat/audience.hpp"
#include "chat/crossing.hpp"

namespace chorus {

/// What a room has for an audience is gathered in that one's next delivery, until `send`. A shard gets a delivery only
/// if there is something in it, and one credit bounds what is on its way to it: while it has not taken the delivery
/// before the last, the room is to wait.
///
/// Owned by a room, together with its own audience, which outlives it; executor's thread only.
class outlets {
 public:
  outlets(room_identity const& of, room_commons const& shared, audience& here, courier& to_others)
      : room_(of), shared_(shared), here_(here), courier_(to_others) {}

  /// What the audience of a member will get next, be the member there or not; null if it is another server's.
  delivery* next_for(member_id who);
  /// Its audience will get the newcomer's greeting.
  void add(delivery::newcomer one);
  /// What only one is told, between two batches.
  void tell(delivery::note one);

  /// The audience of another shard is told that nobody is to wait for the room any more; and all such audiences.
  void give_up(shard_id at);
  void give_up();

  /// So many members of that audience do not hear any more.
  void lost(shard_id at, listener_count const& members);
  bool anyone_hears(dialect_id which) const;

  /// To all: what was gathered, and the batch. Returns when the audience of this shard has dealt with it.
  awaitable<void> send(packets const& everyones);

  /// An audience of another shard has taken so many deliveries.
  void taken(shard_id at, std::size_t deliveries) { of(at).taken += deliveries; }
  /// No shard is further behind than it may be.
  bool has_credit() const { return most_underway() < 2; }
  /// What was sent is dealt with everywhere.
  bool all_taken() const { return most_underway() == 0; }

  /// How many deliveries each of the other shards was sent.
  using sent = std::vector<std::pair<shard_id, std::uint64_t>>;
  sent sent_yet() const;
  /// These are dealt with, whatever was sent since.
  bool have_taken(sent const& deliveries) const;

 private:
  struct outlet {
    delivery next = {};
    listener_count listening = {};  ///< members that hear what happens
    std::uint64_t posted = 0;       ///< deliveries
    std::uint64_t taken = 0;        ///< of these

    std::uint64_t underway() const { return posted - taken; }
  };

  outlet& of(shard_id at) { return at == shared_.shard() ? local_ : others_[at]; }
  std::uint64_t most_underway() const;
  void post(shard_id to, outlet& from, packets const& everyones);

  room_identity const& room_;
  room_commons const& shared_;
  audience& here_;
  courier& courier_;
  outlet local_;
  std::map<shard_id, outlet> others_;  ///< in which there are, or once were, members
};

}  // namespace chorus
