#pragma once
// Which request gets what: the HTTP face of the server, without any I/O.

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "protocol/dialect.hpp"
#include "protocol/join_request.hpp"
#include "server/settings.hpp"

namespace chorus {

namespace http = boost::beast::http;

using request = http::request<http::empty_body>;
using response = http::response<http::string_body>;

/// Of a request's head. A body is not read.
using request_parser = http::request_parser<http::empty_body>;

/// What a WebSocket can be opened to.
enum class service : std::uint8_t { chat, echo };

/// Where a request for a WebSocket leads.
struct destination {
  service what;
  dialect_id speaks = dialect_id::text;  ///< of a chat, and what follows too
  join_request wishes = {};
};

/// What an answer depends on besides the request.
struct circumstances {
  bool ready;     ///< new clients should come here
  bool draining;  ///< the server is stopping
  bool full;      ///< no session from this address can begin now
  settings const& options;
};

/// What to upgrade to, or the response to send instead, complete but for `keep_alive`.
std::variant<destination, response> route(request const& asked, circumstances const& now);

/// A response with a plain text.
response text(http::status status, std::string body);

/// An error response with a body of `application/problem+json` (RFC 9457). `detail` says what would have been right.
response problem(http::status status, std::string_view detail);

/// The error response to those who may come again later.
response unavailable(std::string_view detail);

/// The response to a request for /healthz, or for /readyz; that one asks whether new clients should come here.
response health(std::string_view path, bool ready);

/// The response to a request that neither gets nor asks what getting would give (HEAD); nothing for others.
std::optional<response> refuse_other_methods(request const& asked);

/// Makes it an answer to that very request: without a body to HEAD, and the last on its connection if it is to be, if
/// the client wants that, or where a body comes that nobody reads.
void fit(response& answer, request_parser const& asked, bool last);

/// True if a page from `origin` may connect to a server that was addressed as `host`, both as in the headers: it is
/// from the same host and port, or it is listed, or all are. A client that is no browser sends no Origin, and may (RFC
/// 6455 section 10.2).
bool origin_allowed(std::string_view origin, std::string_view host, settings const& options);

}  // namespace chorus
