#pragma once
// How addresses are written in logs and messages.

#include <boost/asio/generic/stream_protocol.hpp>
#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <string>
#include <sys/un.h>

#include "support/asio.hpp"

namespace chorus {

/// `127.0.0.1:8080` or `[::1]:8080`; without a port if it is 0, as that of a proxy's client may be.
inline std::string to_string(tcp::endpoint const& at) {
  auto address = at.address().to_string();
  if (at.port() == 0) return address;
  return at.address().is_v6() ? fmt::format("[{}]:{}", address, at.port()) : fmt::format("{}:{}", address, at.port());
}

/// Of TCP or a Unix socket.
using stream_endpoint = net::generic::stream_protocol::endpoint;

/// As above, or the path.
inline std::string to_string(stream_endpoint const& at) {
  if (at.protocol().family() == AF_UNIX) return reinterpret_cast<sockaddr_un const*>(at.data())->sun_path;
  tcp::endpoint found;
  std::memcpy(found.data(), at.data(), at.size());
  found.resize(at.size());
  return to_string(found);
}

}  // namespace chorus
