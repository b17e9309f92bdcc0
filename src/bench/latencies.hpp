#pragma once
// How long things took.

#include <chrono>
#include <cstdint>
#include <vector>

#include "support/asio.hpp"

namespace chorus::bench {

/// In microseconds, the unit of the reports.
template <class Rep, class Period>
double as_us(std::chrono::duration<Rep, Period> d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

/// In microseconds.
struct percentiles {
  double p50 = 0, p90 = 0, p99 = 0, p99_9 = 0, max = 0;
};

/// A histogram of durations up to 1000 s, in steps of less than 1%. `max` is exact; what lies outside counts as the
/// nearest that lies within. Recording takes a few nanoseconds: there may be a hundred million deliveries.
class latencies {
 public:
  latencies();

  void record(clock::duration took);
  /// Adds what others recorded.
  latencies& operator+=(latencies const& others);
  std::uint64_t count() const { return count_; }
  /// All zeros if nothing was recorded.
  percentiles summary() const;

 private:
  double quantile(double q) const;

  std::vector<std::uint64_t> bins_;
  std::uint64_t count_ = 0;
  clock::duration max_{};
};

}  // namespace chorus::bench
