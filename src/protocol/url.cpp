#include "protocol/url.hpp"

#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace chorus {

namespace {

constexpr std::string_view scheme(bool secure) { return secure ? "wss://" : "ws://"; }
constexpr std::string_view default_port(bool secure) { return secure ? "443" : "80"; }

[[noreturn]] void fail() {
  throw std::invalid_argument(
      "expected a URL such as ws://127.0.0.1:8080/chat or wss://chat.example/chat (no user, no fragment)");
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && rest == text.data() + text.size() && port != 0;
}

}  // namespace

std::string websocket_url::authority() const {
  auto const name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == default_port(secure) ? name : name + ":" + port;
}

std::string websocket_url::text() const { return std::string(scheme(secure)) + authority() + path; }

websocket_url parse_url(std::string_view text) {
  auto const secure = text.starts_with(scheme(true));
  if (!text.starts_with(scheme(secure)) || text.find_first_of("#@ ") != std::string_view::npos) fail();
  text.remove_prefix(scheme(secure).size());
  auto const path = text.find_first_of("/?");
  auto const authority = text.substr(0, path);

  websocket_url url;
  url.secure = secure;
  url.port = default_port(secure);
  if (path != std::string_view::npos)
    url.path = text[path] == '/' ? text.substr(path) : "/" + std::string(text.substr(path));
  auto const bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  if (authority.starts_with('[') && bracket == std::string_view::npos) fail();
  auto const colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = bracket == std::string_view::npos ? authority.substr(0, colon) : authority.substr(1, bracket - 1);
  if (colon != std::string_view::npos) url.port = authority.substr(colon + 1);
  if (url.host.empty() || !is_port(url.port)) fail();
  return url;
}

}  // namespace chorus
