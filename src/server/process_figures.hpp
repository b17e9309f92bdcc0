#pragma once
// What the system says of this process.

#include <cstdint>

namespace chorus {

/// Zero where the system does not say.
struct process_figures {
  double cpu_seconds = 0;         ///< user and system, since the start
  double start_time_seconds = 0;  ///< since the Unix epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t most_descriptors = 0;
};

/// Reads /proc; it takes a few system calls, and one for each thousand open descriptors. Never throws for what is not
/// there.
process_figures read_process_figures();

}  // namespace chorus
