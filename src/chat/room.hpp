#pragma once
// A room and its members.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "chat/audience.hpp"
#include "chat/broadcaster.hpp"
#include "chat/event_log.hpp"
#include "protocol/join_request.hpp"

namespace chorus {

/// What all rooms share.
struct room_commons {
  executor ex;
  room_settings const& options;
  dialect_table dialects;
  std::int64_t (*now)();  ///< milliseconds since the Unix epoch
  history_memory memory;
  member_id last_member;

  member_id next_member() {
    ++last_member.number;
    return last_member;
  }
};

/// One total order of events (log), what follows from it (broadcaster: who is here, what was said lately), and those
/// who are told (audience). Owned by the directory, outlives its members; executor's thread only.
class room {
 public:
  /// Called when somebody wants something of a room that does not run: then `run` is to be spawned.
  struct runner {
    virtual void start(room& of) = 0;

   protected:
    ~runner() = default;
  };

  /// The commons and the runner outlive the room.
  room(room_commons& shared, room_identity which, std::unique_ptr<event_log> log, runner& by);

  room_identity const& identity() const { return identity_; }

  /// Broadcasts as long as something is on its way, so that a room in which nobody speaks is no coroutine. If it fails
  /// the room is closed: nobody is to wait for it.
  awaitable<void> run();
  bool runs() const { return runs_; }
  /// Nothing has ever happened in it.
  bool is_new() const { return broadcaster_.present().seq() == 0; }

  /// How many are here, by the fold.
  std::size_t users() const { return broadcaster_.present().users(); }

  /// Returns when all that is said by now has been pushed to everyone, or the room is closed.
  awaitable<void> caught_up();
  bool has_caught_up() const { return broadcaster_.done() == audience_.appended(); }

  /// True while so much waits to be broadcast that nobody should say more.
  bool is_behind() const { return audience_.bytes_on_their_way() >= max_bytes_on_their_way && !closed_; }
  awaitable<void> wait_while_behind();

  /// What is said from now on is dropped.
  void close();

 private:
  friend class member;

  /// So much may be on its way before its members are not read from any more.
  static constexpr std::size_t max_bytes_on_their_way = 1024 * 1024;
  /// A replay ends with the event that reaches it.
  static constexpr std::size_t max_replay_bytes = 64 * 1024;

  void append(draft wanted);
  awaitable<void> tell_users(member_id who, dialect_id in);
  awaitable<std::uint64_t> tell_past(member_id who, dialect_id in, replay asked);

  room_commons& shared_;
  room_identity const identity_;
  runner& runner_;
  std::unique_ptr<event_log> log_;
  audience audience_;
  broadcaster broadcaster_;
  bool runs_ = false;
  bool closed_ = false;
};

/// Membership of a room, from construction to destruction. Joining appends a draft; when that has its place the
/// recipient is greeted, before it hears anything else. Leaving takes the recipient out of the audience at once, and
/// appends a draft for the others. The room and the recipient outlive it.
///
/// Answers (to `ask_users` and `ask_replay`) are pushed to the recipient's outbound channel, in their place among the
/// batches; who asks waits until they have gone to the socket before it asks for more.
class member {
 public:
  /// The recipient is to get at most its channel's limit of the past.
  member(room& in, recipient& hears, join_request const& wishes);
  member(member const&) = delete;
  member& operator=(member const&) = delete;
  ~member();

  /// Every member, this one included, will hear it.
  void say(std::string text, std::string id);
  /// `name` is normalized; another one may come of it.
  void rename(std::string name, std::string id = {});
  /// How many are here, and who.
  awaitable<void> ask_users();
  /// Some of the past once more. Returns how many events the answer tells.
  awaitable<std::uint64_t> ask_replay(replay asked);

 private:
  member(room& in, recipient& hears);
  void append(draft::kind wants, std::string text = {}, std::string id = {});

  room& room_;
  member_id const id_;
  dialect_id const speaks_;
  std::uint64_t drafts_ = 0;
};

}  // namespace chorus
