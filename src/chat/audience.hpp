#pragma once
// The members of a room that are connected here: from the broadcaster to outbound channels.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/draft.hpp"
#include "chat/encoded_batch.hpp"
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

 protected:
  ~recipient() = default;
};

/// Members by their ids, the outbound channels of those who listen by dialect, and how many drafts of each have not
/// come back from the log. Coming and going take the same time however many there are. What concerns a member that is
/// not here, or not any more, is ignored.
///
/// Owned by a room, outlives the recipients in it; executor's thread only.
class audience {
 public:
  explicit audience(executor ex) : executor_(ex) {}

  /// From now on it can be told things, but hears nothing yet. It must outlive its being here.
  void add(member_id who, recipient& member);
  /// Takes it out at once, also while a batch is fanned out. What it has appended is still waited for.
  void remove(member_id who) noexcept;
  /// Null if it is not here.
  recipient* find(member_id who) const;

  /// What a newcomer is told: its greeting and the past that it asked for, and how it is here.
  struct newcomer {
    std::vector<packet_ptr> packets;
    std::string name;
    std::size_t users;
  };
  /// From now on it hears what is fanned out. Not during a fan-out.
  void greet(member_id who, newcomer const& as);
  /// A packet for one.
  void tell(member_id who, packet_ptr const& what);

  /// Pushes the same packet to all who listen and speak the same dialect. It never waits for a peer, but lets others
  /// run after each `slice`. One at a time.
  awaitable<void> fan_out(encoded_batch& what);

  /// A member that is here has appended a draft of that size, in bytes.
  void appended(member_id who, std::uint64_t count, std::size_t size);
  /// A draft has come back from the log, be it from here or not.
  void came_back(draft const& wanted);

  /// Of the drafts from here: how many were appended, how many have come back, and what the others take, in bytes.
  std::uint64_t appended() const { return appended_; }
  std::uint64_t returned() const { return returned_; }
  std::size_t bytes_on_their_way() const { return bytes_on_their_way_; }

 private:
  struct attendee {
    recipient* here;             ///< null when it has left
    std::uint64_t appended = 0;  ///< the last draft, by its count
    std::uint64_t returned = 0;  ///< the last draft that has come back
    std::size_t place = not_listening;
  };
  static constexpr auto not_listening = static_cast<std::size_t>(-1);

  /// The channel is null where a member has left during a fan-out.
  struct listener {
    outbound_channel* out;
    attendee* whose;
  };
  using listeners = std::vector<listener>;

  listeners& speakers_of(dialect_id dialect) { return listeners_[static_cast<std::size_t>(dialect)]; }
  void forget(std::unordered_map<member_id, attendee>::iterator gone) noexcept;
  static void close_gap(listeners& in, std::size_t place);
  static void close_gaps(listeners& in);

  executor executor_;
  std::unordered_map<member_id, attendee> attendees_;
  std::array<listeners, dialect_count> listeners_;
  std::uint64_t appended_ = 0;
  std::uint64_t returned_ = 0;
  std::size_t bytes_on_their_way_ = 0;
  bool fanning_out_ = false;
  bool has_gaps_ = false;  ///< somebody has left during the fan-out
};

}  // namespace chorus
