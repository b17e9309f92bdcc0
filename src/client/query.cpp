#include "client/query.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <utility>

namespace chorus {

namespace {

/// All but what RFC 3986 calls unreserved, and the colon, which a query may have.
std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (auto const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("-._~:").find(c) != std::string_view::npos))
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", byte);
  }
  return encoded;
}

}  // namespace

std::string with_parameter(std::string_view path, std::string_view key, std::string_view value) {
  auto const begin = path.find('?');
  std::string changed(path.substr(0, begin));
  char separator = '?';
  auto const add = [&](std::string_view parameter) {
    changed += std::exchange(separator, '&');
    changed += parameter;
  };
  for (auto rest = begin == path.npos ? std::string_view() : path.substr(begin + 1); !rest.empty();) {
    auto const parameter = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), parameter.size() + 1));
    if (parameter.substr(0, parameter.find('=')) != key) add(parameter);
  }
  add(fmt::format("{}={}", key, percent_encode(value)));
  return changed;
}

}  // namespace chorus
