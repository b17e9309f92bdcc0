#pragma once
// What crosses threads: values, in two directions, and nothing else.
//
// Every room has one home shard, where its log, roster, history and broadcaster live, and an audience on each shard
// that members of it are connected to. What an audience has for its room is a `submission`, what a room has for an
// audience a `delivery`; between shards they are posted, on the home shard they are calls. A connection that moves to
// another shard is a descriptor and an upgrade (server/negotiation.hpp); what it took on the accepting shard goes back
// there to be destroyed (support/homebound.hpp). That is all.
//
// It is enough, without a lock, since each of these belongs to one thread at a time: who posts it has no part of it any
// more. Only packets and logs' lines are shared; packets never change, and their count is atomic. Posts from one shard
// to another arrive in their order, and so does what one of them caused a third shard to post (an `io_context` is a
// queue): a room is created before who joins it comes, and ended after the last leave.

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chat/draft.hpp"
#include "protocol/command.hpp"
#include "protocol/cursor.hpp"
#include "protocol/dialect.hpp"
#include "support/packet.hpp"

namespace chorus {

/// A thread of the server, counted from 0. The first is the one that accepts.
using shard_id = std::uint32_t;

/// Which room it is. The same name may come again, with a later epoch; no two rooms of a server have the same.
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

/// What a member asks, and only it is told.
struct question {
  member_id from;
  dialect_id in;
  std::variant<ask_users, replay> what;
};

/// One packet for each dialect that somebody speaks; null for the others, and where there is nothing to say in it.
using packets = std::array<packet_ptr, dialect_count>;

/// How many members, by dialect.
using listener_count = std::array<std::size_t, dialect_count>;

/// What an audience has for its room.
struct submission {
  std::vector<draft> drafts = {};
  std::vector<std::pair<member_id, arrival>> arrivals = {};  ///< of those whose join is among the drafts
  std::vector<question> questions = {};
  listener_count gone = {};  ///< how many do not hear any more
  std::size_t taken = 0;     ///< deliveries that are dealt with

  bool empty() const { return drafts.empty() && questions.empty() && gone == listener_count() && taken == 0; }
};

/// What a room has for one of its audiences, which deals with it in this order. What concerns a member that has left
/// meanwhile is ignored.
struct delivery {
  /// Who hears from now on: its greeting, the past that it asked for, and how it is here.
  struct newcomer {
    member_id who;
    dialect_id speaks;
    std::vector<packet_ptr> told;
    std::string name;
    std::size_t users;
  };
  struct renaming {
    member_id who;
    std::string to;
  };
  /// What only one is told.
  struct note {
    member_id who;
    packets what;                               ///< in the dialect that it speaks, if not in others
    std::optional<std::uint64_t> answers = {};  ///< a question, with so many events of the past
    std::exception_ptr failed = {};             ///< why there is no answer
  };

  std::size_t drafts = 0;           ///< of this audience that have come back from the log
  std::size_t bytes = 0;            ///< that these took on their way
  std::vector<draft> refused = {};  ///< which of them the log did not take
  std::vector<renaming> renamed = {};
  std::vector<newcomer> newcomers = {};
  packets batch = {};  ///< for all who hear
  std::vector<note> notes = {};
  bool ends = false;  ///< the room has failed: what its members want from now on is dropped

  bool empty() const {
    return drafts == 0 && refused.empty() && renamed.empty() && newcomers.empty() && batch == packets() &&
           notes.empty() && !ends;
  }
};

/// Takes to other shards what is for them. It never waits.
struct courier {
  virtual void submit(shard_id home, std::uint64_t epoch, submission what) = 0;
  virtual void deliver(shard_id to, std::uint64_t epoch, delivery what) = 0;

 protected:
  ~courier() = default;
};

}  // namespace chorus
