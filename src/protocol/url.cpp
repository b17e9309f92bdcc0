#include "protocol/url.hpp"

#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace chorus {

namespace {

constexpr std::string_view scheme = "ws://";
constexpr std::string_view default_port = "80";

[[noreturn]] void fail() {
  throw std::invalid_argument("expected a URL such as ws://127.0.0.1:8080/chat (ws only, no user, no fragment)");
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && rest == text.data() + text.size() && port != 0;
}

}  // namespace

std::string websocket_url::authority() const {
  auto const name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == default_port ? name : name + ":" + port;
}

websocket_url parse_url(std::string_view text) {
  if (!text.starts_with(scheme) || text.find_first_of("#@ ") != std::string_view::npos) fail();
  text.remove_prefix(scheme.size());
  auto const path = text.find_first_of("/?");
  auto const authority = text.substr(0, path);

  websocket_url url;
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
