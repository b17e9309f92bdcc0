#pragma once
// Everyone who hears what is said in a room: from the broadcaster to outbound channels.

#include <cstddef>
#include <list>
#include <vector>

#include "protocol/dialect.hpp"
#include "protocol/event.hpp"
#include "support/outbound_channel.hpp"

namespace chorus {

/// The outbound channels of a room's members, by dialect. Joining and leaving take the same time however many there
/// are.
///
/// Owned by a room, outlives every place in it; executor's thread only.
class audience {
  struct group;

 public:
  /// A member's place, from construction to destruction, at any time: also while a batch is fanned out. Who joins
  /// meanwhile hears the next batch first; who leaves hears nothing more; nobody else misses or repeats anything. The
  /// audience, the dialect and the channel must outlive it.
  class place {
   public:
    place(audience& in, dialect const& speaks, outbound_channel& out);
    place(place const&) = delete;
    place& operator=(place const&) = delete;
    ~place();

   private:
    friend class audience;

    group& group_;
    std::size_t index_;
  };

  explicit audience(executor ex) : executor_(ex) {}

  std::size_t size() const { return size_; }

  /// Encodes the batch once per dialect and pushes the same packet to all who speak it. It never waits for a peer, but
  /// lets others run after each `slice`. One at a time.
  awaitable<void> fan_out(batch const& events);

 private:
  /// The channel is null where a member has left during a fan-out.
  struct entry {
    outbound_channel* out;
    place* whose;
  };

  /// Members that speak one dialect.
  struct group {
    audience* in;
    dialect const* speaks;
    std::vector<entry> members = {};
    std::size_t listening = 0;  ///< to the batch that is fanned out: those who were there when it began
  };

  group& group_of(dialect const& speaks);
  static void close_gap(group& in, std::size_t index);
  static void close_gaps(group& in);

  executor executor_;
  std::list<group> groups_;
  std::size_t size_ = 0;
  bool fanning_out_ = false;
};

}  // namespace chorus
