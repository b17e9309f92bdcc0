#include "server/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "server/address_range.hpp"

namespace chorus {

namespace {

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);

// Section 2.2 of the specification.
constexpr unsigned version = 0x2;
constexpr unsigned local_command = 0x0;
constexpr unsigned proxy_command = 0x1;
constexpr unsigned tcp_over_ipv4 = 0x11;
constexpr unsigned tcp_over_ipv6 = 0x21;
constexpr unsigned most_family = 0x3;
constexpr unsigned most_transport = 0x2;

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

/// Source address, destination address, source port, destination port.
template <class Address>
std::optional<tcp::endpoint> source(std::string_view addresses) {
  typename Address::bytes_type bytes;
  if (addresses.size() < 2 * bytes.size() + 4) return std::nullopt;
  std::copy_n(addresses.begin(), bytes.size(), bytes.begin());
  return tcp::endpoint(unmapped(Address(bytes)), number_at(addresses, 2 * bytes.size()));
}

}  // namespace

std::variant<proxy_header, proxy_header_incomplete, std::string_view> parse_proxy_header(std::string_view begin) {
  if (begin.starts_with("PROXY ")) return "it is of version 1, expected version 2 of the PROXY protocol";
  auto const signed_part = begin.substr(0, signature.size());
  if (signed_part != signature.substr(0, signed_part.size())) return "expected the signature of the PROXY protocol";
  if (begin.size() < least_proxy_header) return proxy_header_incomplete{least_proxy_header};

  auto const command = byte_at(begin, 12) & 0xF;
  if (byte_at(begin, 12) >> 4 != version) return "expected version 2 of the PROXY protocol";
  if (command != local_command && command != proxy_command) return "expected the command LOCAL or PROXY";
  auto const size = least_proxy_header + number_at(begin, 14);
  if (size > most_proxy_header) return "it is longer than 4096 bytes";
  if (begin.size() < size) return proxy_header_incomplete{size};
  // The receiver must not look at the addresses.
  if (command == local_command) return proxy_header{size, std::nullopt};

  auto const what = byte_at(begin, 13);
  if (what >> 4 > most_family || (what & 0xF) > most_transport) return "there is no such address family or transport";
  if (what != tcp_over_ipv4 && what != tcp_over_ipv6) return proxy_header{size, std::nullopt};
  auto const addresses = begin.substr(least_proxy_header, size - least_proxy_header);
  auto const client =
      what == tcp_over_ipv4 ? source<net::ip::address_v4>(addresses) : source<net::ip::address_v6>(addresses);
  if (!client) return "it is too short for its addresses";
  return proxy_header{size, client};
}

}  // namespace chorus
