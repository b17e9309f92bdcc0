#pragma once
// When a session is pinged, and when it is given up. A pure state machine: it is told the time and never acts.

#include <cstdint>

#include "server/settings.hpp"
#include "support/asio.hpp"

namespace chorus {

/// - A ping goes out every ping interval. The peer is dead if nothing is heard for the ping timeout after one.
/// - A peer with bytes waiting is stalled if it takes none for the write timeout.
/// - After our close frame has gone out, the peer has the ping timeout to answer it.
class liveness {
 public:
  enum class verdict { fine, ping, ping_timeout, write_timeout, close_timeout };

  /// What the heartbeat sees of the session's outbound channel.
  struct outbound {
    bool waiting;            ///< bytes wait for the peer
    bool sealed;             ///< our close frame is pushed
    std::uint64_t progress;  ///< grows with every byte taken
  };

  liveness(settings const& options, clock::time_point now) : options_(options), last_ping_(now), last_progress_(now) {}

  /// The peer sent a whole message or a control frame.
  void heard() { unanswered_ = false; }

  /// Call it once per heartbeat. `ping` means that a ping is to be sent now.
  verdict check(clock::time_point now, outbound const& out);

 private:
  bool stalled(clock::time_point now, outbound const& out);
  verdict check_pings(clock::time_point now, outbound const& out);

  settings const& options_;
  clock::time_point last_ping_;
  clock::time_point unanswered_since_;
  bool unanswered_ = false;
  clock::time_point last_progress_;
  std::uint64_t seen_progress_ = 0;
  clock::time_point close_sent_at_;
  bool close_sent_ = false;
};

}  // namespace chorus
