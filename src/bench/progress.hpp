#pragma once
// What a person sees while a run goes on.

#include "bench/run.hpp"

namespace chorus::bench {

/// A line on standard error that says how far the run is, if that is a terminal. The line is gone at the end.
class progress_line {
 public:
  explicit progress_line(run& r);
  progress_line(progress_line const&) = delete;
  progress_line& operator=(progress_line const&) = delete;
  ~progress_line();

  /// Call it often; it writes ten times a second.
  void update(clock::time_point now);

 private:
  run& run_;
  bool enabled_;
  clock::time_point next_;
};

}  // namespace chorus::bench
