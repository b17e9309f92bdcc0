#include "server/usable_cpus.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace chorus {

namespace {

/// The group's path below the root of the hierarchy, or the root's if there is none of version 2.
std::string own_group(std::filesystem::path const& groups) {
  constexpr std::string_view version_2 = "0::/";
  std::ifstream lines(groups);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(version_2)) return line.substr(version_2.size());
  return {};
}

/// CPU time per time that the group may use; `most` without a quota.
double quota_of(std::filesystem::path const& group, double most) {
  std::ifstream limit(group / "cpu.max");
  double time = 0;
  double period = 0;
  // A group without a quota says "max".
  return limit >> time >> period && period > 0 ? std::min(most, time / period) : most;
}

}  // namespace

std::size_t usable_cpus(std::filesystem::path const& own_groups, std::filesystem::path const& all_groups) {
  double most = std::max(std::thread::hardware_concurrency(), 1U);
  auto const above = own_group(own_groups);
  auto group = all_groups;
  most = quota_of(group, most);
  for (auto const& part : std::filesystem::path(above)) most = quota_of(group /= part, most);
  return std::max<std::size_t>(static_cast<std::size_t>(std::ceil(most)), 1);
}

}  // namespace chorus
