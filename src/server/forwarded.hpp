#pragma once
// Whom a proxy speaks for, by the headers of its request, without any I/O.

#include <boost/beast/http/fields.hpp>
#include <span>

#include "server/address_range.hpp"
#include "support/asio.hpp"

namespace chorus {

/// The client of a request that came from `peer`, whose headers count only as far as trusted proxies have written them:
/// from the right, the first address that is not trusted. Where the next is no address (`unknown`, an obfuscated one,
/// rubbish) or there is none, it is the last that was known; so it is `peer` if that is not trusted. The port is 0
/// where none is told.
///
/// `X-Forwarded-For` counts if it is there, otherwise `Forwarded` (RFC 7239): most proxies write only the former, and
/// pass on a `Forwarded` that the client itself has sent.
tcp::endpoint client_of(tcp::endpoint const& peer, boost::beast::http::fields const& headers,
                        std::span<address_range const> trusted);

}  // namespace chorus
