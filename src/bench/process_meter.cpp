#include "bench/process_meter.hpp"

#include <fmt/format.h>
#include <fstream>
#include <string>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

[[noreturn]] void gone(pid_t pid) { throw check_failed(fmt::format("there is no server process {}", pid)); }

cpu_time read(clockid_t clock, pid_t pid) {
  timespec t{};
  if (::clock_gettime(clock, &t) != 0) gone(pid);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

process_meter::process_meter(pid_t pid) : pid_(pid) {
  // It may give a clock for a process that does not exist; reading that fails.
  if (::clock_getcpuclockid(pid, &clock_) != 0) gone(pid);
  cpu();
}

cpu_time process_meter::cpu() const { return read(clock_, pid_); }

memory process_meter::mem() const {
  std::ifstream status(fmt::format("/proc/{}/status", pid_));
  memory found;
  for (std::string key; status >> key; status.ignore(256, '\n')) {
    constexpr std::size_t kB = 1024;
    if (key == "VmRSS:") status >> found.resident, found.resident *= kB;
    if (key == "VmHWM:") status >> found.peak, found.peak *= kB;
  }
  if (found.resident == 0) gone(pid_);
  return found;
}

cpu_time own_cpu() { return read(CLOCK_PROCESS_CPUTIME_ID, 0); }

}  // namespace chorus::bench
