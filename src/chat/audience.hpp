#pragma once
// The members of a room that are connected to one shard: from its room to their outbound channels, in support/.

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/crossing.hpp"
#include "chat/room_commons.hpp"
#include "support/asio.hpp"
#include "support/outbound_channel.hpp"

namespace chorus {

/// What a connection is to its room. What goes wrong in it is its own affair.
class recipient {
 public:
  virtual outbound_channel& out() = 0;
  virtual dialect_id speaks() const = 0;

  /// It has its greeting, under that name, and from now on hears what happens.
  virtual void greeted(std::string const& name, std::size_t users) noexcept = 0;
  virtual void renamed(std::string const& name) noexcept = 0;
  /// The log did not take what the member wanted.
  virtual void not_taken(draft const& wanted) noexcept = 0;
  /// What it asked is answered: the answer, with so many events of the past, is pushed.
  virtual void answered(std::uint64_t events) noexcept = 0;
  /// What it asked cannot be answered.
  virtual void failed(std::exception_ptr why) noexcept = 0;
  /// The room is not behind any more, for which it waited.
  virtual void unburdened() noexcept = 0;

 protected:
  ~recipient() = default;
};

/// The way from an audience to its room, on the same shard (room.hpp) or another (branch.hpp).
struct room_link {
  /// Keeps the draft for its place in the log. If it throws, it has not.
  virtual void append(draft wanted) = 0;
  /// Deals with what was appended.
  virtual void start() = 0;
  /// A member is about to append its join.
  virtual void expect(member_id who, arrival how) = 0;
  /// The answer comes as a note.
  virtual void ask(question asked) = 0;
  /// A member that heard what happens does not any more.
  virtual void lost(dialect_id listener) noexcept = 0;

 protected:
  ~room_link() = default;
};

/// Members by their ids, the outbound channels of those who listen by dialect, and what of theirs is on its way to the
/// log and back. Coming and going take the same time however many there are. What concerns a member that is not here,
/// or not any more, is ignored.
///
/// Owned by a room or a branch of one, outlives the members in it; executor's thread only.
class audience {
 public:
  /// All three outlive it.
  audience(room_commons& shared, room_identity const& of, room_link& to) : shared_(shared), room_(of), link_(to) {}

  room_commons& commons() { return shared_; }
  room_identity const& room() const { return room_; }
  room_link& link() { return link_; }

  /// From now on it can be told things, but hears nothing yet. It must outlive its being here.
  void add(member_id who, recipient& member);
  /// Takes it out at once, also while a batch is fanned out.
  void remove(member_id who) noexcept;
  bool empty() const { return attendees_.empty(); }

  /// What a member wants. Dropped after `close`.
  void append(draft wanted);
  /// True while so much from here waits to be broadcast that nobody should say more.
  bool is_behind() const { return bytes_on_their_way_ >= max_bytes_on_their_way && !closed_; }
  /// The member is told when that is over.
  void wait_while_behind(member_id who) { waiting_.push_back(who); }
  std::size_t drafts_on_their_way() const { return drafts_on_their_way_; }

  /// Deals with what the room has for its members; it never waits for a peer, but lets others run after each `slice`.
  /// One at a time.
  awaitable<void> take(delivery what);
  /// The same for a note alone, which has its place among the deliveries: between two of them.
  void take(delivery::note const& what) noexcept;

  /// What members want from now on is dropped, and nobody waits for it.
  void close() noexcept;

 private:
  /// So much may be on its way before the members are not read from any more.
  static constexpr std::size_t max_bytes_on_their_way = 1024 * 1024;
  static constexpr auto not_listening = static_cast<std::size_t>(-1);

  struct attendee {
    recipient* who;
    std::size_t place = not_listening;
  };
  /// The channel is null where a member has left during a fan-out.
  struct listener {
    outbound_channel* out;
    attendee* whose;
  };
  using listeners = std::vector<listener>;

  listeners& speakers_of(dialect_id dialect) { return listeners_[index_of(dialect)]; }
  recipient* find(member_id who) const;
  void greet(delivery::newcomer const& one);
  void unburden() noexcept;
  static void close_gap(listeners& in, std::size_t place);
  static void close_gaps(listeners& in);

  room_commons& shared_;
  room_identity const& room_;
  room_link& link_;
  std::unordered_map<member_id, attendee> attendees_;
  std::array<listeners, dialect_count> listeners_;
  std::vector<member_id> waiting_;  ///< until the room is not behind any more
  std::size_t drafts_on_their_way_ = 0;
  std::size_t bytes_on_their_way_ = 0;
  bool fanning_out_ = false;
  bool has_gaps_ = false;  ///< somebody has left during the fan-out
  bool closed_ = false;
};

}  // namespace chorus
