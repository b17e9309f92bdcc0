#pragma once
// All rooms of a server: where they are, where they come from, and when they go.

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "chat/shard_rooms.hpp"

namespace chorus {

/// Places connections on shards, and creates a room for the first who wants to join it: on the shard with the fewest
/// connections, which is its home, and where its members are placed, until it is large. Ends it `history_ttl` after the
/// last has left, or earlier where room or memory is needed: who is empty longest goes first.
///
/// It is on the accepting shard, which is number 0: that one's thread only. Owned by the server, outlives all seats,
/// and does not outlive the shards' rooms.
class directory {
  /// A room, and since when it is empty.
  struct entry : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    explicit entry(room_address at) : where(std::move(at)) {}

    room_address const where;
    std::size_t seats = 0;
    std::uint64_t asked = 0;  ///< how often its home was asked whether it has settled
    clock::time_point empty_since = {};
  };
  using entry_list = boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>>;

 public:
  /// The options and the shards, of which there is one at least, outlive it.
  directory(room_settings const& options, std::span<shard_rooms* const> shards);

  /// A place on a shard for one who may join a room, from before the upgrade is answered until the connection has
  /// ended. The room lives meanwhile.
  class seat {
   public:
    seat(seat&& other) noexcept : all_(std::exchange(other.all_, nullptr)), shard_(other.shard_), room_(other.room_) {}
    seat& operator=(seat&& other) noexcept {
      std::swap(all_, other.all_);
      std::swap(shard_, other.shard_);
      std::swap(room_, other.room_);
      return *this;
    }
    ~seat() {
      if (all_ != nullptr) all_->give_back(shard_, room_);
    }

    /// Where the connection is to be.
    shard_id shard() const { return shard_; }
    /// Nothing without a room.
    std::optional<room_address> room() const { return room_ == nullptr ? std::nullopt : std::optional(room_->where); }

   private:
    friend class directory;
    seat(directory& all, shard_id at, entry* in) : all_(&all), shard_(at), room_(in) {}

    directory* all_;
    shard_id shard_;
    entry* room_;
  };

  /// In the room with that name, which is created if need be; nothing if there are `max_rooms` and all are inhabited.
  std::optional<seat> take_seat(std::string_view name);
  /// Without a room; never nothing.
  std::optional<seat> take_seat();

  std::size_t size() const { return rooms_.size(); }

  /// Ends empty rooms when their time has come, until it is cancelled.
  awaitable<void> sweep();

  /// From now on no room ends any more.
  void stop() { stopping_ = true; }

 private:
  shard_id emptiest() const;
  seat place(shard_id at, entry* in);
  void give_back(shard_id at, entry* in);
  void ask_if_settled(entry& of);
  void settled(entry& of, std::uint64_t asked, bool is_new);
  entry* create(std::string_view name);
  entry_list* with_longest_empty();
  void relieve(shard_id at);
  void end(entry& gone);

  /// Calls `act` with a shard's rooms, on its thread.
  template <class Action>
  void on(shard_id at, Action act);

  room_settings const& options_;
  std::vector<shard_rooms*> const shards_;
  std::vector<std::size_t> seats_on_;  ///< by shard
  std::vector<entry_list> empty_;      ///< by home; longest first
  std::uint64_t last_epoch_ = 0;
  bool stopping_ = false;
  std::unordered_map<std::string_view, std::unique_ptr<entry>>
      rooms_;  ///< by the names that the entries have themselves
};

}  // namespace chorus
