#pragma once
// Networks, as an operator names them: `10.0.0.0/8`, `fd00::/8`, or a single address.

#include <boost/asio/ip/address.hpp>
#include <span>
#include <string>

namespace chorus {

/// An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`, as a socket that listens on `::` shows it; RFC 4291
/// section 2.5.5.2) as IPv4; any other as it is.
boost::asio::ip::address unmapped(boost::asio::ip::address const& any);

/// All addresses that begin with the same bits.
struct address_range {
  boost::asio::ip::address first;  ///< the bits after the prefix are 0
  unsigned prefix;                 ///< bits: up to 32, or up to 128 for IPv6

  /// An IPv4 address that is written as IPv6 is in the range that has its IPv4 address.
  bool contains(boost::asio::ip::address const& any) const;

  bool operator==(address_range const&) const = default;
};

/// Throws std::invalid_argument that says what would be right.
address_range parse_address_range(std::string const& text);

/// True if one of the ranges has it.
bool contains(std::span<address_range const> ranges, boost::asio::ip::address const& any);

}  // namespace chorus
