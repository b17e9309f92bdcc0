#include "server/address_range.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <charconv>
#include <range/v3/algorithm/any_of.hpp>
#include <stdexcept>

namespace chorus {

namespace ip = boost::asio::ip;

namespace {

ip::address first_of(ip::address const& any, unsigned prefix) {
  auto const bits = static_cast<unsigned short>(prefix);
  if (any.is_v4()) return ip::network_v4(any.to_v4(), bits).network();
  return ip::network_v6(any.to_v6(), bits).network();
}

unsigned bits_of(ip::address const& any) { return any.is_v4() ? 32 : 128; }

}  // namespace

ip::address unmapped(ip::address const& any) {
  if (!any.is_v6() || !any.to_v6().is_v4_mapped()) return any;
  return ip::make_address_v4(ip::v4_mapped, any.to_v6());
}

bool address_range::contains(ip::address const& any) const {
  auto const plain = unmapped(any);
  return plain.is_v4() == first.is_v4() && first_of(plain, prefix) == first;
}

address_range parse_address_range(std::string const& text) {
  auto const slash = text.find('/');
  boost::system::error_code ec;
  auto const address = ip::make_address(text.substr(0, slash), ec);
  auto const valid = !ec && (!address.is_v6() || address.to_v6().scope_id() == 0);
  auto prefix = bits_of(address);
  auto right = valid;
  if (valid && slash != std::string::npos) {
    auto const* const end = text.data() + text.size();
    auto const [rest, error] = std::from_chars(text.data() + slash + 1, end, prefix);
    right = error == std::errc{} && rest == end && prefix <= bits_of(address);
  }
  if (!right || first_of(address, prefix) != address)
    throw std::invalid_argument(
        "expected an IP address or a network such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, without bits after the prefix");
  return {address, prefix};
}

bool contains(std::span<address_range const> ranges, ip::address const& any) {
  return ranges::any_of(ranges, [&](address_range const& each) { return each.contains(any); });
}

}  // namespace chorus
