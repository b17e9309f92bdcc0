#pragma once
// What the commands are made of: the stages of a run, and what they cost.

#include <optional>
#include <string>

#include "bench/bench_options.hpp"
#include "bench/crowd.hpp"
#include "bench/process_meter.hpp"
#include "bench/report.hpp"

namespace chorus::bench {

/// The state of a run. Owned by main, outlives the command's coroutine.
struct run {
  run(executor ex, bench_options const& chosen, target const& server_under_test);

  clock::time_point deadline() const { return clock::now() + options.timeout; }

  bench_options const& options;
  target const& to;
  crowd people;
  std::optional<process_meter> server;
  std::string stage;          ///< what is being done, for the progress line
  clock::duration polling{};  ///< time that went into looking for something to do, and finding nothing
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
  /// The share of the time in which the generator had something to do. It never sleeps, so its CPU time does not tell.
  double own_busy() const;

 private:
  run const& run_;
  clock::time_point begun_;
  cpu_time server_;
  cpu_time own_;
  clock::duration polling_;
};

/// Connects the receivers, and returns when all hear each other and the warm-up is over.
awaitable<void> assemble(run& r);

/// Returns when all participants hear what the first sender in their room says: a server may say that a connection is
/// open before it broadcasts to it.
awaitable<void> call_the_roll(run& r);

/// Sends `messages` of `size` bytes, at the rate or in the closed loop of the options, and returns when every counted
/// participant has them.
awaitable<void> exchange(run& r, std::size_t messages, std::size_t size);
/// The same, in a closed loop whatever the options say.
awaitable<void> exchange_in_flight(run& r, std::size_t messages, std::size_t size, std::size_t in_flight);

/// Waits, and then throws `check_failed` if anything has failed: a connection that ended, a message that came twice.
awaitable<void> pause(run& r, std::chrono::milliseconds how_long);
/// Long enough for what must not come after the last message.
constexpr auto aftermath = std::chrono::milliseconds(50);

/// The server's cost since the stopwatch began, for each of `count` things of some kind.
void add_server_cost(report& to, run const& r, stopwatch const& since, std::uint64_t count, std::string const& thing);
void add_server_memory(report& to, run const& r);
/// What the generator itself used, to tell whether it was the bottleneck.
void add_own_cost(report& to, stopwatch const& since);

}  // namespace chorus::bench
