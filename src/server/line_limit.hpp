#pragma once
// How many lines of a kind the log takes. A pure state machine: it is told the time and never acts.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "support/asio.hpp"

namespace chorus {

/// Admits so many lines of each event per second, so that a flood of one neither fills a disk nor hides another.
class line_limit {
 public:
  struct omission {
    std::string_view event;
    std::uint64_t count;  ///< of lines that were not admitted
  };

  /// 0 is no limit.
  explicit line_limit(std::size_t per_second) : limit_(per_second) {}

  /// Says what was left out in a second that is over by now, once; nothing while it is not. The next one begins.
  std::vector<omission> advance(clock::time_point now) {
    std::vector<omission> left_out;
    if (now < end_) return left_out;
    for (auto const& [event, lines] : lines_)
      if (limit_ != 0 && lines > limit_) left_out.push_back({event, lines - limit_});
    lines_.clear();
    end_ = now + std::chrono::seconds(1);
    return left_out;
  }

  /// Whether one more line of an event, whose name outlives this, may be written in this second.
  bool admits(std::string_view event) { return ++lines_[event] <= limit_ || limit_ == 0; }

 private:
  std::size_t const limit_;
  clock::time_point end_;
  std::map<std::string_view, std::uint64_t> lines_;  ///< of each event in this second
};

}  // namespace chorus
