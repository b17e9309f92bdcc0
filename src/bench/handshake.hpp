#pragma once
// The client's half of the opening handshake (RFC 6455 section 4.1).

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <string>

#include "bench/preparation.hpp"

namespace chorus::bench {

using upgrade_answer = boost::beast::http::response<boost::beast::http::empty_body>;

/// Asks for a WebSocket without extensions, in the dialect of the target.
std::string upgrade_request(target const& to);

/// Throws `check_failed` if the server does not agree to that request, or agrees to another one.
void check_upgraded(upgrade_answer const& answer, target const& to);

}  // namespace chorus::bench
