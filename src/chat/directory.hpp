#pragma once
// All rooms of a server: where they come from, and when they go.

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "chat/room.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// Creates a room for the first who wants to join it, runs its broadcaster while somebody is there, and ends it
/// `history_ttl` after the last has left, or earlier where room or memory is needed: who is empty longest goes first.
///
/// Owned by the server, outlives all seats; executor's thread only; `join` must have returned before it is destroyed.
class directory final : private room::runner {
  /// A room, and since when it is empty.
  struct entry : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    std::unique_ptr<room> here;
    std::size_t seats = 0;
    clock::time_point empty_since = {};
  };
  using entry_list = boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>>;

 public:
  /// Where the events of a room with that name get their order.
  using log_factory = std::function<std::unique_ptr<event_log>(std::string const& room)>;

  /// The options outlive it. `failed` is told of a broadcaster that cannot go on.
  directory(executor ex, room_settings const& options, dialect_table dialects, log_factory make_log,
            task_group::error_handler failed);

  /// A place in a room for one who may join it, from before the upgrade is answered until the connection has ended. The
  /// room lives meanwhile.
  class seat {
   public:
    seat(seat&& other) noexcept : all_(other.all_), place_(std::exchange(other.place_, nullptr)) {}
    seat& operator=(seat&& other) noexcept {
      std::swap(all_, other.all_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~seat() {
      if (place_ != nullptr) all_->give_back(*place_);
    }

    room& in() const { return *place_->here; }

   private:
    friend class directory;
    seat(directory& all, entry& place) : all_(&all), place_(&place) {}

    directory* all_;
    entry* place_;
  };

  /// In the room with that name, which is created if need be; nothing if there are `max_rooms` and all are inhabited.
  std::optional<seat> take_seat(std::string_view name);

  std::size_t size() const { return rooms_.size(); }

  /// Ends empty rooms when their time has come, until it is cancelled.
  awaitable<void> sweep();

  /// Returns when all that is said by now has been pushed to everyone. From the first call on no room ends any more.
  awaitable<void> caught_up();
  /// What is said from now on is dropped.
  void close();
  /// Returns when all broadcasters have ended: after `close`.
  awaitable<void> join() { return broadcasters_.join(); }

 private:
  void start(room& of) override;
  awaitable<void> run(room& of);
  void give_back(entry& place);
  void note_if_empty(entry& of);
  entry* create(std::string_view name);
  bool end_longest_empty();
  void end(entry& gone);

  log_factory make_log_;
  room_commons commons_;
  std::uint64_t last_epoch_ = 0;
  bool ending_ = false;
  std::unordered_map<std::string_view, entry> rooms_;  ///< by the names that the rooms have themselves
  entry_list empty_;                                   ///< longest first
  task_group broadcasters_;
};

}  // namespace chorus
