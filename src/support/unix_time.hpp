#pragma once
// The time of day, for those who are told when something happened.

#include <chrono>
#include <cstdint>

namespace chorus {

/// Milliseconds since the Unix epoch. May jump when the system's clock is set.
inline std::int64_t unix_milliseconds() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace chorus
