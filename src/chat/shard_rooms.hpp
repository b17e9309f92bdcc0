#pragma once
// What one shard has of all rooms.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/branch.hpp"
#include "chat/room.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// Where a room is.
struct room_address {
  room_identity which;
  shard_id home;
};

/// The rooms whose home this shard is, the branches of others that have members here, and the coroutines of both. Rooms
/// and branches are looked up by the room's epoch; what is for one that is not there is ignored.
///
/// Owned by the shard, outlives its members; executor's thread only; `join` must have returned before it is destroyed.
class shard_rooms final : private room::runner, private branch::runner, private courier {
 public:
  /// Where the events of a room with that name get their order. Called on any shard's thread.
  using log_factory = std::function<std::unique_ptr<event_log>(executor home, std::string const& room)>;

  /// `which` names its members: the node and the shard count. The options and dialects outlive it. `failed` is told on
  /// this thread of what cannot go on.
  shard_rooms(executor ex, member_id which, room_settings const& options, dialect_table dialects, log_factory make_log,
              task_group::error_handler failed);

  executor get_executor() const { return commons_.ex; }
  shard_id shard() const { return commons_.shard(); }

  /// All shards' rooms, by shard; before anything else. `relieve` is called when the histories of the rooms here take
  /// more than their share of the memory: it ends one and says so with `relieved`, or says that there is none.
  void know(std::span<shard_rooms* const> all, std::function<void()> relieve);
  void relieved(bool one_has_ended) { commons_.memory.relieved(one_has_ended); }

  /// For the directory, about rooms whose home is here.
  void create(room_identity which);
  void end(std::uint64_t epoch) { rooms_.erase(epoch); }
  /// Calls back when nothing of the room is on its way, at once or later. `is_new`: nothing has ever happened in it.
  /// Whoever asks again meanwhile is called instead.
  void when_settled(std::uint64_t epoch, std::function<void(bool is_new)> settled);

  /// Those in the room who are connected here. It stays while it has members.
  audience& audience_of(room_address const& where);

  /// What there is to know of the rooms whose home this is, and of all that happened here.
  room_tally const& tally() const { return commons_.tally; }
  std::size_t size() const { return rooms_.size(); }
  std::size_t history_bytes() const { return commons_.memory.used(); }
  std::vector<room_reading> read() const;

  /// For stopping, in this order, each on all shards before the next. What was said is posted to the rooms.
  void flush();
  /// Returns when all that was said in the rooms here by now has been pushed to everyone. Meanwhile no room may end:
  /// the directory has stopped.
  awaitable<void> caught_up();
  /// What is said from now on is dropped.
  void close_branches();
  void close_rooms();
  /// Returns when all coroutines have ended.
  awaitable<void> join() { return tasks_.join(); }

 private:
  void start(room& of) override { tasks_.spawn(run(of)); }
  awaitable<void> run(room& of);
  void start(branch& of, awaitable<void> (branch::*task)()) override { tasks_.spawn(run(of, task)); }
  awaitable<void> run(branch& of, awaitable<void> (branch::*task)());

  void submit(shard_id home, std::uint64_t epoch, submission what) override;
  void submitted(shard_id from, std::uint64_t epoch, submission what);
  void deliver(shard_id to, std::uint64_t epoch, delivery what) override;
  void delivered(std::uint64_t epoch, delivery what);

  log_factory make_log_;
  std::function<void()> relieve_;
  room_commons commons_;
  std::vector<shard_rooms*> all_;
  std::unordered_map<std::uint64_t, std::unique_ptr<room>> rooms_;
  std::unordered_map<std::uint64_t, std::unique_ptr<branch>> branches_;
  std::unordered_map<std::uint64_t, std::function<void(bool)>> settling_;
  task_group tasks_;
};

}  // namespace chorus
