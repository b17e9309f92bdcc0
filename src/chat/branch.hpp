#pragma once
// A room on a shard that is not its home.

#include <list>

#include "chat/audience.hpp"
#include "chat/crossing.hpp"

namespace chorus {

/// The audience of a room on another shard, and the way between them. What its members want is gathered until they are
/// quiet, as a log does it, and posted to the home shard in one submission; when one leaves it is posted at once,
/// before the seat goes back that keeps the room. The room's deliveries are dealt with one after the other.
///
/// Owned by its shard's `shard_rooms`, outlives its members; executor's thread only.
class branch final : private room_link {
 public:
  /// Called when it has something to do: then the coroutine is to be spawned, and the branch asked afterwards whether
  /// it `may_go`.
  struct runner {
    virtual void start(branch& of, awaitable<void> (branch::*task)()) = 0;

   protected:
    ~runner() = default;
  };

  /// The commons, the runner and the courier outlive it.
  branch(room_commons& shared, room_identity of, shard_id home, runner& by, courier& to_home);

  room_identity const& identity() const { return identity_; }
  /// Of the members that are connected here.
  audience& here() { return audience_; }

  /// What the room has for its audience.
  void delivered(delivery what);

  /// Posts what was gathered without waiting for more.
  void flush();
  /// What its members want from now on is dropped, what they wanted before is posted.
  void close();

  /// Nobody is here, and nothing is on its way.
  bool may_go() const;

 private:
  void append(draft wanted) override;
  void start() override;
  void expect(member_id who, arrival how) override { gathered_.arrivals.emplace_back(who, how); }
  void ask(question asked) override;
  void lost(dialect_id listener) noexcept override { ++gathered_.gone[index_of(listener)]; }

  awaitable<void> gather();
  awaitable<void> deal_with_deliveries();
  void acknowledge();

  room_commons& shared_;
  room_identity const identity_;
  shard_id const home_;
  runner& runner_;
  courier& courier_;
  audience audience_;
  submission gathered_;
  bool gathering_ = false;
  bool speaks_ = false;             ///< somebody does in what is gathered
  bool leaves_ = false;             ///< the same
  std::list<delivery> deliveries_;  ///< not dealt with yet
  bool dealing_ = false;
};

}  // namespace chorus
