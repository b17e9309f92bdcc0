#pragma once
// When a session is pinged, and when it is given up. A pure state machine: it is told the time and never acts.

#include <cstdint>

#include "server/settings.hpp"
#include "support/asio.hpp"

namespace chorus {

/// - A peer that was silent for half the ping interval is pinged, so that an idle one gets a ping every interval. Each
///   peer has its own place in the interval.
/// - A ping and our close frame are questions. The peer is dead if it does not answer within the ping timeout, counted
///   from when it acknowledged the question, or the last of the data before it.
/// - A peer that bytes wait for is stalled if it acknowledges none for the write timeout. Whether its socket takes more
///   proves nothing: the kernel holds a part, and tells only when much of that has gone.
/// - While we do not read from a peer, its silence says nothing.
class liveness {
 public:
  enum class verdict { fine, ping, ping_timeout, write_timeout, close_timeout };

  /// What the heartbeat sees of a session.
  struct outbound {
    bool waiting;                  ///< bytes wait in the outbound channel
    bool sealed;                   ///< our close frame is pushed
    std::uint64_t sent;            ///< bytes that the socket has taken, since the beginning
    std::uint64_t unacknowledged;  ///< of these, those that the peer has not acknowledged; see `asks`
  };

  /// `place` is from 0 to 2^32 - 1: where in the interval the pings are.
  liveness(settings const& options, clock::time_point now, std::uint32_t place);

  /// The peer sent something.
  void heard() {
    silent_ = false;
    if (question_ == question::ping) question_ = question::none;
  }

  /// Whether we read what the peer sends; at first we do.
  void reading(bool on) { reading_ = on; }

  /// True if `check` has to know what is unacknowledged: that costs a system call, and matters only for a peer that is
  /// behind or owes an answer. Otherwise it may be 0.
  bool asks(outbound const& out) const { return out.waiting || out.sealed || question_ != question::none; }

  /// Call it once per heartbeat. `ping` means that a ping is to be sent now.
  verdict check(clock::time_point now, outbound const& out);

 private:
  enum class question : std::uint8_t { none, ping, close };

  void ask(question q, clock::time_point now, outbound const& out);
  verdict check_question(clock::time_point now, outbound const& out, bool progress);
  verdict check_silence(clock::time_point now, outbound const& out);

  settings const& options_;
  std::uint64_t acknowledged_ = 0;  ///< bytes, when last seen
  std::uint64_t question_at_ = 0;   ///< so many bytes were sent before it
  clock::time_point progress_at_;   ///< bytes were acknowledged, or none were owed
  clock::time_point asked_at_;      ///< the peer has had the question since then, as far as we know
  clock::time_point next_ping_;     ///< if it is silent until then
  question question_ = question::none;
  bool reached_ = false;  ///< the peer has acknowledged what was sent before the question
  bool silent_ = false;
  bool reading_ = true;
};

}  // namespace chorus
