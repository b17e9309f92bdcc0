#pragma once
// How long to wait before the next attempt.

#include <algorithm>
#include <chrono>
#include <random>

namespace chorus {

/// Exponential backoff with full jitter: each delay is random between nothing and a ceiling that doubles from half a
/// second to half a minute, so that clients that lost the same server do not come back all at once.
class backoff {
 public:
  using delay = std::chrono::milliseconds;
  static constexpr delay first_ceiling{500};
  static constexpr delay last_ceiling{30'000};

  template <class Generator>
  delay next(Generator& random) {
    std::uniform_int_distribution<delay::rep> below_ceiling(0, ceiling_.count());
    ceiling_ = std::min(2 * ceiling_, last_ceiling);
    return delay(below_ceiling(random));
  }

  /// After a success.
  void reset() { ceiling_ = first_ceiling; }

 private:
  delay ceiling_ = first_ceiling;
};

}  // namespace chorus
