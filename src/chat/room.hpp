#pragma once
// A room on its home shard.

#include <cstddef>
#include <memory>
#include <string>

#include "chat/audience.hpp"
#include "chat/broadcaster.hpp"
#include "chat/event_log.hpp"
#include "chat/outlets.hpp"

namespace chorus {

/// One total order of events (log), what follows from it (broadcaster: who is here, what was said lately), and those
/// who are told (audiences: one here, and one on each other shard with members).
///
/// Owned by its home shard's `shard_rooms`, outlives its members there; executor's thread only.
class room final : private room_link {
 public:
  /// Called when somebody wants something of a room that does not run: then `run` is to be spawned.
  struct runner {
    virtual void start(room& of) = 0;

   protected:
    ~runner() = default;
  };

  /// The commons, the runner and the courier outlive the room.
  room(room_commons& shared, room_identity which, std::unique_ptr<event_log> log, runner& by, courier& to_others);

  room_identity const& identity() const { return identity_; }
  /// Of the members that are connected here.
  audience& here() { return audience_; }

  /// What the audience of another shard has for it.
  void submitted(shard_id from, submission what);

  /// Broadcasts as long as something is on its way, so that a room in which nobody speaks is no coroutine. If it fails
  /// the room is closed: nobody is to wait for it.
  awaitable<void> run();
  bool runs() const { return runs_; }
  /// Nothing has ever happened in it.
  bool is_new() const { return broadcaster_.present().seq() == 0; }

  /// How many are here, by the fold.
  std::size_t users() const { return broadcaster_.present().users(); }
  room_reading read() const {
    return {identity_.name, identity_.epoch, users(), broadcaster_.present().seq(), broadcaster_.messages()};
  }

  /// Returns when all that is said by now has been pushed to everyone, or the room is closed.
  awaitable<void> caught_up() { return broadcaster_.caught_up(closed_); }
  bool has_caught_up() const { return broadcaster_.is_done() && outlets_.all_taken(); }

  /// What is said from now on is dropped.
  void close();

 private:
  void append(draft wanted) override;
  void start() override;
  void expect(member_id who, arrival how) override { broadcaster_.expect(who, how); }
  void ask(question asked) override { broadcaster_.ask(std::move(asked)); }
  void lost(dialect_id listener) noexcept override;

  room_commons& shared_;
  room_identity const identity_;
  runner& runner_;
  std::unique_ptr<event_log> log_;
  audience audience_;
  outlets outlets_;
  broadcaster broadcaster_;
  bool runs_ = false;
  bool closed_ = false;
};

}  // namespace chorus
