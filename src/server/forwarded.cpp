#include "server/forwarded.hpp"

#include <boost/beast/core/string.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chorus {

namespace {

namespace http = boost::beast::http;

std::string_view trim(std::string_view text) {
  auto const begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

enum class quoting { none, strings };

/// The parts between separators; of those in a quoted string (RFC 9110 section 5.6.4) none counts.
std::vector<std::string_view> split(std::string_view text, char separator, quoting quotes = quoting::strings) {
  std::vector<std::string_view> parts;
  auto quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (quotes == quoting::strings && text[i] == '"')
      quoted = !quoted;
    else if (!quoted && text[i] == separator) {
      parts.push_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(trim(text.substr(begin)));
  return parts;
}

std::string unquote(std::string_view value) {
  if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) return std::string(value);
  value = value.substr(1, value.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    plain += value[i];
  }
  return plain;
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; nothing for anything else.
std::optional<tcp::endpoint> parse_node(std::string_view text) {
  auto host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (auto const colon = text.find(':'); colon == text.rfind(':') && colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  error_code ec;
  auto const address = net::ip::make_address(std::string(host), ec);
  if (ec || host.find('%') != std::string_view::npos) return std::nullopt;
  std::uint16_t number = 0;
  // RFC 7239 section 6.2: the port may be obfuscated, as in `:_secret`; the address is known all the same.
  if (port.starts_with(":")) {
    auto const [rest, error] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
    if (error != std::errc{} || rest != port.data() + port.size()) number = 0;
  } else if (!port.empty()) {
    return std::nullopt;
  }
  return tcp::endpoint(unmapped(address), number);
}

/// What an element of `Forwarded` has as `for`; empty without it.
std::string node_of(std::string_view element) {
  for (auto const pair : split(element, ';')) {
    auto const equals = pair.find('=');
    if (equals != std::string_view::npos && boost::beast::iequals(pair.substr(0, equals), "for"))
      return unquote(pair.substr(equals + 1));
  }
  return {};
}

/// From the client to the last proxy but one, over all lines of the header.
std::vector<std::string> nodes_of(http::fields const& headers) {
  std::vector<std::string> nodes;
  auto const is_old = headers.count("X-Forwarded-For") != 0;
  auto const lines = headers.equal_range(is_old ? "X-Forwarded-For" : "Forwarded");
  for (auto line = lines.first; line != lines.second; ++line) {
    std::string_view const text(line->value().data(), line->value().size());
    // A quote that the client has sent must not swallow what a proxy has added to it.
    for (auto const element : split(text, ',', is_old ? quoting::none : quoting::strings))
      nodes.push_back(is_old ? std::string(element) : node_of(element));
  }
  return nodes;
}

}  // namespace

tcp::endpoint client_of(tcp::endpoint const& peer, http::fields const& headers,
                        std::span<address_range const> trusted) {
  auto known = peer;
  if (!contains(trusted, known.address())) return known;
  for (auto nodes = nodes_of(headers); !nodes.empty() && contains(trusted, known.address()); nodes.pop_back()) {
    auto const next = parse_node(nodes.back());
    if (!next) break;
    known = *next;
  }
  return known;
}

}  // namespace chorus
