#include "bench/latencies.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace chorus::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_ns = std::chrono::nanoseconds(1000s).count();

// The bin of a number of nanoseconds is its floating-point form: as exponent, how many of its lower bits do not count,
// and as mantissa the others, which are eight, or fewer if it is a small number.
constexpr unsigned step_bits = 7;  // so the steps within a power of two are 1/128 of it

constexpr std::size_t bin_of(std::uint64_t ns) {
  auto const bits = static_cast<unsigned>(std::bit_width(ns));
  auto const exponent = bits > step_bits + 1 ? bits - (step_bits + 1) : 0;
  return (std::size_t{exponent} << step_bits) + (ns >> exponent);
}

constexpr std::uint64_t upper_edge(std::size_t bin) {
  auto const exponent = bin >> (step_bits + 1) != 0 ? (bin >> step_bits) - 1 : 0;
  return (bin - (exponent << step_bits) + 1) << exponent;
}

static_assert(upper_edge(bin_of(255)) == 256 && bin_of(256) == bin_of(255) + 1);
static_assert(upper_edge(bin_of(1'000'000)) == 1'003'520 && bin_of(1'003'520) == bin_of(1'000'000) + 1);

}  // namespace

latencies::latencies() : bins_(bin_of(most_ns) + 1) {}

void latencies::record(clock::duration took) {
  auto const ns = std::max<std::int64_t>(std::chrono::nanoseconds(took).count(), 0);
  ++bins_[bin_of(std::min(static_cast<std::uint64_t>(ns), most_ns))];
  ++count_;
  max_ = std::max(max_, took);
}

latencies& latencies::operator+=(latencies const& others) {
  std::ranges::transform(bins_, others.bins_, bins_.begin(), std::plus());
  count_ += others.count_;
  max_ = std::max(max_, others.max_);
  return *this;
}

double latencies::quantile(double q) const {
  auto const rank = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::size_t bin = 0;
  for (auto seen = bins_[bin]; seen < rank; seen += bins_[bin]) ++bin;
  // The upper edge: a percentile says that so many were no slower.
  return std::min(static_cast<double>(upper_edge(bin)) / 1000, as_us(max_));
}

percentiles latencies::summary() const {
  if (count_ == 0) return {};
  return {quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), as_us(max_)};
}

}  // namespace chorus::bench
