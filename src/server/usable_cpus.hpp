#pragma once
// How many CPUs the process may use.

#include <cstddef>
#include <filesystem>

namespace chorus {

/// The CPUs that the process may run on (`taskset`, cpusets), or fewer if its control group, or one above it, has a
/// quota of less CPU time (a container's limit; cgroup v2, `cpu.max`). At least 1.
std::size_t usable_cpus(std::filesystem::path const& own_groups = "/proc/self/cgroup",
                        std::filesystem::path const& all_groups = "/sys/fs/cgroup");

}  // namespace chorus
