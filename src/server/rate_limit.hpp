#pragma once
// How fast a connection is read from. A pure state machine: it is told the time and never waits.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "server/settings.hpp"
#include "support/asio.hpp"

namespace chorus {

/// A token bucket that holds `rate_burst` tokens and gets `rate_limit` a second. It keeps the time at which it would be
/// full again, and nothing else (the "virtual scheduling" of ITU-T I.371).
class rate_limit {
 public:
  /// Spends tokens, also more than there are. Returns how long to wait until the next one is there; without a limit not
  /// at all.
  clock::duration spend(settings const& options, clock::time_point now, std::uint64_t tokens) {
    if (options.rate_limit == 0) return {};
    auto const each = clock::duration(std::chrono::seconds(1)) / static_cast<clock::rep>(options.rate_limit);
    full_at_ = std::max(full_at_, now) + each * static_cast<clock::rep>(tokens);
    auto const burst = each * static_cast<clock::rep>(options.rate_burst - 1);
    return std::max(full_at_ - now - burst, clock::duration::zero());
  }

 private:
  clock::time_point full_at_;
};

}  // namespace chorus
