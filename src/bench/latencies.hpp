#pragma once
// How long things took.

#include <boost/histogram/axis/regular.hpp>
#include <boost/histogram/histogram.hpp>
#include <boost/histogram/storage_adaptor.hpp>
#include <cstdint>
#include <tuple>
#include <vector>

#include "support/asio.hpp"

namespace chorus::bench {

/// In microseconds.
struct percentiles {
  double p50 = 0, p90 = 0, p99 = 0, p99_9 = 0, max = 0;
};

/// A histogram of durations from 100 ns to 1000 s, in steps of 1%. `max` is exact; what lies outside counts as the
/// nearest that lies within.
class latencies {
 public:
  latencies();

  void record(clock::duration took);
  std::uint64_t count() const { return count_; }
  /// All zeros if nothing was recorded.
  percentiles summary() const;

 private:
  using axis = boost::histogram::axis::regular<double, boost::histogram::axis::transform::log>;
  using counts = boost::histogram::dense_storage<std::uint64_t>;

  double quantile(double q) const;

  boost::histogram::histogram<std::tuple<axis>, counts> histogram_;
  std::uint64_t count_ = 0;
  double max_ = 0;
};

}  // namespace chorus::bench
