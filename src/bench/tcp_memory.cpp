#include "bench/tcp_memory.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <unistd.h>

namespace chorus::bench {

namespace {

std::string content_of(char const* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::optional<std::uint64_t> find_tcp_pages(std::string_view sockstat) {
  std::istringstream lines{std::string(sockstat)};
  for (std::string line; std::getline(lines, line);) {
    // "TCP: inuse 5 orphan 0 tw 2 alloc 7 mem 3"
    std::istringstream fields(line);
    std::string word;
    if (!(fields >> word) || word != "TCP:") continue;
    std::uint64_t value = 0;
    while (fields >> word >> value)
      if (word == "mem") return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_tcp_shortages(std::string_view netstat) {
  std::istringstream lines{std::string(netstat)};
  // A line of names, and then a line of the values.
  for (std::string first, second; std::getline(lines, first) && std::getline(lines, second);) {
    std::istringstream names(first);
    std::istringstream values(second);
    for (std::string name, value; names >> name && values >> value;)
      if (name == "TCPMemoryPressures") return std::stoull(value);
  }
  return std::nullopt;
}

std::optional<std::size_t> tcp_memory() {
  auto const pages = find_tcp_pages(content_of("/proc/net/sockstat"));
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> tcp_memory_shortages() { return find_tcp_shortages(content_of("/proc/net/netstat")); }

}  // namespace chorus::bench
