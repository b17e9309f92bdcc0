#pragma once
// One connection's membership of a room.

#include <cstdint>
#include <string>
#include <variant>

#include "chat/audience.hpp"
#include "protocol/join_request.hpp"

namespace chorus {

/// Membership of a room, from construction to destruction. Joining appends a draft; when that has its place the
/// recipient is greeted, before it hears anything else. Leaving takes the recipient out of the audience at once, and
/// appends a draft for the others. The audience, on the same shard, and the recipient outlive it.
class member {
 public:
  /// The recipient is to get at most its channel's limit of the past.
  member(audience& in, recipient& hears, join_request const& wishes);
  member(member const&) = delete;
  member& operator=(member const&) = delete;
  ~member();

  room_identity const& room() const { return audience_.room(); }

  /// Every member, this one included, will hear it.
  void say(std::string text, std::string id);
  /// `name` is normalized; another one may come of it.
  void rename(std::string name, std::string id = {});
  /// The recipient is told when the answer is pushed to its outbound channel, in its place among the batches, be it at
  /// once or later. Who asks waits for that, and until the answer has gone to the socket, before it asks for more.
  void ask(std::variant<ask_users, replay> what);

  /// True while the room has enough to do; the recipient is told when it has not any more, after `wait`.
  bool must_wait() const { return audience_.is_behind(); }
  void wait() { audience_.wait_while_behind(id_); }

 private:
  member(audience& in, recipient& hears);
  void append(draft::kind wants, std::string text = {}, std::string id = {});

  audience& audience_;
  member_id const id_;
  dialect_id const speaks_;
  std::uint64_t drafts_ = 0;
};

}  // namespace chorus
