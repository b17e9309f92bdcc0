#pragma once
// More than a slow peer can take.

#include <string>

#include "running_server.hpp"

namespace chorus::test {

inline constexpr std::size_t outbound_limit = 64 * 1024;
inline constexpr std::size_t message_size = 16 * 1024;
/// More than the kernel takes for a peer (its send buffer grows to 4 MiB by default) and the outbound limit besides.
inline constexpr int messages = 600;

inline settings strict_settings() {
  auto options = test_settings();
  options.outbound_limit = outbound_limit;
  // Who is not to read must not be cut off, however long the others take.
  options.write_timeout = std::chrono::milliseconds(0);
  return options;
}

inline std::string numbered(int number) {
  auto text = std::to_string(number) + " ";
  return text + std::string(message_size - text.size(), 'x');
}

inline int number_of(std::string const& line) { return std::stoi(line.substr(line.find(": ") + 2)); }

}  // namespace chorus::test
