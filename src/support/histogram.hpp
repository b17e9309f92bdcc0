#pragma once
// How often something was how large.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chorus {

/// Counts whole numbers by size, in buckets that end at powers of 4: 1, 4, 16, ... about a million, and what is larger.
/// It costs a few instructions. Plain numbers of one thread; a copy is a reading.
class histogram {
 public:
  /// The buckets that have an end.
  static constexpr std::size_t bounded = 11;

  void observe(std::uint64_t value) {
    ++counts_[bucket_of(value)];
    sum_ += value;
  }

  /// Counts it in whole microseconds. It is not negative.
  void observe(std::chrono::steady_clock::duration time) {
    observe(static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
  }

  /// The largest value in a bucket.
  static constexpr std::uint64_t bound(std::size_t bucket) { return std::uint64_t{1} << (2 * bucket); }
  /// How many were in a bucket; number `bounded` has what is larger than all bounds.
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }
  /// Of all values.
  std::uint64_t sum() const { return sum_; }

  histogram& operator+=(histogram const& other) {
    for (std::size_t i = 0; i != counts_.size(); ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
    return *this;
  }

 private:
  static std::size_t bucket_of(std::uint64_t value) {
    if (value <= 1) return 0;
    return std::min((static_cast<std::size_t>(std::bit_width(value - 1)) + 1) / 2, bounded);
  }

  std::array<std::uint64_t, bounded + 1> counts_{};
  std::uint64_t sum_ = 0;
};

}  // namespace chorus
