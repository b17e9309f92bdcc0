#pragma once
// How addresses are written in logs and messages.

#include <spdlog/fmt/fmt.h>
#include <string>

#include "support/asio.hpp"

namespace chorus {

/// `127.0.0.1:8080` or `[::1]:8080`.
inline std::string to_string(tcp::endpoint const& at) {
  auto const address = at.address().to_string();
  return at.address().is_v6() ? fmt::format("[{}]:{}", address, at.port()) : fmt::format("{}:{}", address, at.port());
}

}  // namespace chorus
