#pragma once
// From a room's log to its audience: folds, greets, fans out.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chat/audience.hpp"
#include "chat/event_log.hpp"
#include "chat/history.hpp"
#include "chat/roster.hpp"
#include "protocol/cursor.hpp"
#include "support/auto_reset_event.hpp"

namespace chorus {

/// Which room it is. The same name may come again, with a later epoch.
struct room_identity {
  std::string name;
  std::uint64_t epoch;  ///< when it was created, in milliseconds since the Unix epoch
};

/// How a member that joins wants to be greeted.
struct arrival {
  dialect_id speaks;
  std::size_t limit;      ///< of the past it takes so many bytes
  std::uint64_t history;  ///< the last so many messages
  std::optional<cursor> since;
};

/// Derives everything that is known of a room from what its log yields, and tells its members: each batch is folded,
/// who joins in it is greeted (with the past before it), all get it, and it becomes past. So a newcomer gets the batch
/// of its own join whole.
///
/// Owned by a room, together with log and audience, which outlive it; executor's thread only.
class broadcaster {
 public:
  broadcaster(executor ex, room_identity const& room, room_settings const& options, dialect_table const& dialects,
              history_memory& memory, event_log& from, audience& to);

  /// A member is about to append its join.
  void expect(member_id who, arrival how) { arrivals_.emplace(who, how); }

  /// Takes the next batch from the log and deals with it. False when the log is at its end. If it throws, the room
  /// cannot go on.
  awaitable<bool> take_next();

  /// Waits until no batch is half done, and then returns in the same turn. What is told to members then stands in its
  /// place among the batches.
  awaitable<void> between_batches();
  /// A batch is done, or there will be no more. Then whoever waits for that has a turn.
  condition& moved_on() { return moved_on_; }

  /// How many of the drafts that were appended here are dealt with.
  std::uint64_t done() const { return done_; }

  /// As of the last batch that was dealt with.
  roster const& present() const { return roster_; }
  history const& past() const { return history_; }

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
  };
  struct beginning {
    std::uint64_t seq;
    bool recovered;
  };

  awaitable<void> deal_with(log_batch news);
  void give_back(std::vector<draft> const& failed);
  folded fold(std::vector<log_entry>& entries, std::size_t& next);
  awaitable<void> pass_on(folded what);
  void greet(joined const& one, std::uint64_t before);
  beginning begin(arrival const& how, std::uint64_t before) const;

  executor executor_;
  room_identity const& room_;
  dialect_table const& dialects_;
  event_log& log_;
  audience& audience_;
  roster roster_;
  history history_;
  std::map<member_id, arrival> arrivals_;  ///< whose joins are on their way
  condition moved_on_;
  std::uint64_t done_ = 0;
  bool busy_ = false;
};

}  // namespace chorus
