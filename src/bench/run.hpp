#pragma once
// A run, and what it costs.

#include <optional>
#include <string>

#include "bench/bench_options.hpp"
#include "bench/process_meter.hpp"
#include "bench/report.hpp"
#include "bench/worker.hpp"

namespace chorus::bench {

/// The state of a run. Owned by main, outlives the command's coroutine, which is on the first worker's thread.
struct run {
  run(bench_options const& chosen, target const& server_under_test);

  executor get_executor() { return workers.front().get_executor(); }
  clock::time_point deadline() const { return clock::now() + options.timeout; }

  bench_options const& options;
  target const& to;
  send_times sent;
  std::deque<worker> workers;
  crowd& people;              ///< the first worker's: everyone, in commands that have no --threads
  std::vector<ledger> heard;  ///< in each room, on all threads; goes from one to the other
  std::optional<process_meter> server;
  std::string stage;  ///< what is being done, for the progress line
};

/// What the options ask for, as the first part of the report.
report parameters(bench_options const& options);

/// Measures from its construction on.
class stopwatch {
 public:
  explicit stopwatch(run const& r);

  double elapsed_s() const;
  /// Of the server; 0 if there is no process to measure.
  double server_cpu_us() const;
  double own_cpu_us() const;
  /// The share of the time in which the busiest thread of the generator had something to do. It never sleeps, so its
  /// CPU time does not tell.
  double own_busy() const;

 private:
  run const& run_;
  clock::time_point begun_;
  cpu_time server_;
  cpu_time own_;
  std::vector<clock::duration> polling_;  ///< of each thread
};

/// The server's cost since the stopwatch began, for each of `count` things of some kind.
void add_server_cost(report& to, run const& r, stopwatch const& since, std::uint64_t count, std::string const& thing);
void add_server_memory(report& to, run const& r);
/// What the generator itself used, to tell whether it was the bottleneck.
void add_own_cost(report& to, stopwatch const& since);

}  // namespace chorus::bench
