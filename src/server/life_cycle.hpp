#pragma once
// How a WebSocket connection lives and ends. A pure state machine: it is told what happens and never acts.

#include <cstdint>

#include "server/farewell.hpp"

namespace chorus {

///            accepted             wrong frame
/// [opening] ----------> [open] ----------------> [lingering]
///     |                   |                       ^    |
///     | accepted, but     | say      wrong frame  |    | say
///     | it was said       v                       |    |
///     +-------------> [closing] ------------------+    |
///                         |                            v
///     from each of them   +----------- end --------> [closed]
///
/// - opening: the request to upgrade is being answered.
/// - open: messages go both ways.
/// - closing: our close frame is the last that we send; the peer may still answer (RFC 6455 section 7.1.2).
/// - lingering: the peer's frames were wrong, Beast has said so, and we have sent FIN. What still comes is discarded
///   until the peer ends too: closing at once could destroy what it has not read yet (RFC 9112 section 9.6).
/// - closed: there is no socket any more.
class life_cycle {
 public:
  enum class phase : std::uint8_t { opening, open, closing, lingering, closed };

  phase now() const { return now_; }
  bool is(phase p) const { return now_ == p; }
  /// Why the server ends it: what it has said first, null if it has said nothing.
  farewell const* reason() const { return reason_; }

  /// The peer has got the answer that makes it a WebSocket.
  void accepted() {
    if (is(phase::opening)) now_ = reason_ == nullptr ? phase::open : phase::closing;
  }

  /// The server says farewell. Whoever does not hear it yet is told when it is accepted; whoever cannot hear it any
  /// more is closed.
  void say(farewell const& reason) {
    if (is(phase::closed)) return;
    if (reason_ == nullptr) reason_ = &reason;
    if (is(phase::open)) now_ = phase::closing;
    if (is(phase::lingering)) now_ = phase::closed;
  }

  /// The peer sent what no peer may send.
  void wrong_frame() {
    if (is(phase::open) || is(phase::closing)) now_ = phase::lingering;
  }

  /// The connection has ended, or is to end now.
  void end() { now_ = phase::closed; }

 private:
  farewell const* reason_ = nullptr;
  phase now_ = phase::opening;
};

}  // namespace chorus
