#include "server/process_figures.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

namespace chorus {

namespace {

/// From Linux 6.2 on the size of the folder is their number. To list it takes a microsecond for each of them.
std::uint64_t open_descriptors() {
  struct stat folder{};
  if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) return static_cast<std::uint64_t>(folder.st_size);
  std::error_code ec;
  std::filesystem::directory_iterator all("/proc/self/fd", ec);
  std::uint64_t count = 0;
  for (; !ec && all != std::filesystem::directory_iterator(); all.increment(ec)) ++count;
  // One is that of the listing.
  return count == 0 ? 0 : count - 1;
}

double seconds_of(clockid_t which) {
  timespec time{};
  ::clock_gettime(which, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// Since the Unix epoch. Not from /proc/stat: a service may not see that.
double boot_time() { return seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME); }

}  // namespace

process_figures read_process_figures() {
  process_figures found;
  std::string text;
  std::getline(std::ifstream("/proc/self/stat"), text);
  // After the program's name, which may contain anything: proc(5) from its third field on.
  auto const after_name = text.rfind(')');
  if (after_name == std::string::npos) return found;
  std::uint64_t user = 0, system = 0, start = 0, pages = 0;
  std::istringstream fields(text.substr(after_name + 1));
  std::string skipped;
  for (int field = 3; fields && field <= 24; ++field) {
    switch (field) {
      case 14: fields >> user; break;
      case 15: fields >> system; break;
      case 20: fields >> found.threads; break;
      case 22: fields >> start; break;
      case 23: fields >> found.virtual_bytes; break;
      case 24: fields >> pages; break;
      default: fields >> skipped;
    }
  }
  auto const ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  found.cpu_seconds = static_cast<double>(user + system) / ticks;
  found.start_time_seconds = boot_time() + static_cast<double>(start) / ticks;
  found.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  found.open_descriptors = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) found.most_descriptors = limit.rlim_cur;
  return found;
}

}  // namespace chorus
