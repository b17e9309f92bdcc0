#pragma once
// Where a client connects to.

#include <string>
#include <string_view>

namespace chorus {

/// `ws://host[:port][/path[?query]]`, or `wss://` for TLS (RFC 6455 section 3); an IPv6 host stands in brackets there,
/// and without them here.
struct websocket_url {
  std::string host;
  std::string port = "80";
  std::string path = "/";
  bool secure = false;

  /// The value of the Host header: without the port if that is the scheme's own.
  std::string authority() const;
  /// As it would be typed.
  std::string text() const;
};

/// Throws std::invalid_argument that says what would be right.
websocket_url parse_url(std::string_view text);

}  // namespace chorus
