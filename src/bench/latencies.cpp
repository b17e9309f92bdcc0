#include "bench/latencies.hpp"

#include <algorithm>
#include <cmath>

namespace chorus::bench {

namespace {

constexpr double least_us = 0.1;
constexpr double most_us = 1e9;
constexpr unsigned steps = 2314;  // ln(most / least) / ln(1.01)

}  // namespace

latencies::latencies() : histogram_(std::make_tuple(axis(steps, least_us, most_us))) {}

void latencies::record(clock::duration took) {
  auto const us = std::chrono::duration<double, std::micro>(took).count();
  histogram_(us);
  ++count_;
  max_ = std::max(max_, us);
}

double latencies::quantile(double q) const {
  auto const rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  auto const& bins = histogram_.axis();
  // Bin -1 is what lies below the axis, bin size() what lies above it.
  int bin = -1;
  for (auto seen = histogram_.at(bin); seen < rank && bin != bins.size(); seen += histogram_.at(bin)) ++bin;
  // The upper edge: a percentile says that so many were no slower.
  return std::min(bins.bin(bin).upper(), max_);
}

percentiles latencies::summary() const {
  if (count_ == 0) return {};
  return {quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), max_};
}

}  // namespace chorus::bench
