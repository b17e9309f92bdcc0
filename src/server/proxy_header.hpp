#pragma once
// The header that a proxy puts before what its client sends: PROXY protocol, version 2, without any I/O.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "support/asio.hpp"

namespace chorus {

/// A whole header.
struct proxy_header {
  std::size_t size;                     ///< bytes, from the signature to the last of its extensions (TLV)
  std::optional<tcp::endpoint> client;  ///< none: the proxy speaks for itself (LOCAL), or for no TCP (UNSPEC, AF_UNIX)
};

/// So many bytes of the header are needed at least to know more; over what is there.
struct proxy_header_incomplete {
  std::size_t needed;
};

/// The signature and what says how long the header is.
inline constexpr std::size_t least_proxy_header = 16;
/// A header is refused that says it is longer, in bytes. Extensions of real proxies take some hundred.
inline constexpr std::size_t most_proxy_header = 4096;

/// What the first bytes of a connection are as a header. The text says what is wrong with them.
std::variant<proxy_header, proxy_header_incomplete, std::string_view> parse_proxy_header(std::string_view begin);

}  // namespace chorus
