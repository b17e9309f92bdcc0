#pragma once
// What a process costs, seen from outside (Linux).

#include <chrono>
#include <cstddef>
#include <ctime>
#include <sys/types.h>

namespace chorus::bench {

using cpu_time = std::chrono::nanoseconds;

/// Memory in bytes.
struct memory {
  std::size_t resident = 0;
  std::size_t peak = 0;  ///< the most that was resident since the process began
};

/// Reads the CPU time and memory of one process of this machine. All its threads count, its children do not.
/// Construction and every reading throw `check_failed` when there is no such process (any more).
class process_meter {
 public:
  explicit process_meter(pid_t pid);

  /// User and system time since the process began.
  cpu_time cpu() const;
  memory mem() const;

 private:
  pid_t pid_;
  clockid_t clock_;
};

/// The CPU time of this process.
cpu_time own_cpu();

}  // namespace chorus::bench
