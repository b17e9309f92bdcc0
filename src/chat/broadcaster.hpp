#pragma once
// From a room's log to its audiences, in outlets.hpp: folds, greets, fans out.

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/event_log.hpp"
#include "chat/history.hpp"
#include "chat/in_flight.hpp"
#include "chat/outlets.hpp"
#include "chat/roster.hpp"
#include "support/auto_reset_event.hpp"

namespace chorus {

/// Derives everything that is known of a room from what its log yields, and tells its members: each batch is folded,
/// who joins in it is greeted (with the past before it), all get it, and it becomes past. So a newcomer gets the batch
/// of its own join whole.
///
/// Owned by a room, together with its log and outlets, which outlive it; executor's thread only.
class broadcaster {
 public:
  broadcaster(room_commons& shared, room_identity const& room, event_log& from, outlets& to);

  /// A member is about to append its join.
  void expect(member_id who, arrival how) { arrivals_.emplace(who, how); }
  /// A draft was appended to the log.
  void appended(member_id who, std::uint64_t count) { in_flight_.appended(who, count); }

  /// Takes the next batch from the log and deals with it, when no audience is too far behind. False when the log is at
  /// its end. If it throws, the room cannot go on.
  awaitable<bool> take_next();

  /// Answers in the same turn if no batch is half done, and else after that: so what a member is told stands in its
  /// place among the batches.
  void ask(question asked);
  /// Answers what waits for the end of a batch: there is none.
  void answer_all();

  /// All that was appended is dealt with here, though maybe not yet on other shards.
  bool is_done() const { return done_ == in_flight_.appended(); }
  /// Returns when all that is appended by now has been pushed to everyone on every shard, or `given_up` has become
  /// true.
  awaitable<void> caught_up(bool const& given_up);
  /// An audience has moved on, or the room is given up.
  void moved_on() { moved_on_.notify_all(); }

  /// As of the last batch that was dealt with.
  roster const& present() const { return roster_; }
  /// How many were said in it.
  std::uint64_t messages() const { return messages_; }

 private:
  struct joined {
    member_id who;
    arrival how;
    std::string name;
    std::size_t users;
  };
  /// Consecutive entries, folded.
  struct folded {
    batch events = {};
    std::vector<joined> newcomers = {};
    std::optional<member_id> renamed = {};  ///< who is to be told of the last event, which others are not

    bool is_whole() const;
  };
  struct beginning {
    std::uint64_t seq;
    bool recovered;
  };

  awaitable<void> deal_with(log_batch news);
  void give_back(std::vector<draft>& failed);
  void come_back(draft const& one);
  folded fold(std::vector<log_entry>& entries, std::size_t& next);
  void note(folded& in, member_id who, event const& last);
  awaitable<void> pass_on(folded what);
  delivery::newcomer greet(joined& one, std::uint64_t before);
  beginning begin(arrival const& how, std::uint64_t before) const;
  void tell_own_rename(member_id who, event renamed);
  void answer(question const& asked);
  history::excerpt tell_users(dialect_id in) const;
  history::excerpt tell_past(dialect_id in, replay const& asked) const;

  room_commons& shared_;
  room_identity const& room_;
  event_log& log_;
  outlets& outlets_;
  roster roster_;
  history history_;
  in_flight in_flight_;
  std::map<member_id, arrival> arrivals_;  ///< whose joins are on their way
  std::list<question> questions_;          ///< that wait for the end of a batch
  condition moved_on_;
  std::uint64_t messages_ = 0;
  std::uint64_t done_ = 0;  ///< drafts that have come back in batches that are dealt with
  bool busy_ = false;
};

}  // namespace chorus
