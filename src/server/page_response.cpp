#include "server/page_response.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <string>

namespace chorus {

namespace {

constexpr char const* content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

constexpr char const* permissions_policy =
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()";

/// False for `q=0` in any precision (RFC 9110 section 12.4.2).
bool has_weight(http::param_list const& parameters) {
  for (auto const& [name, value] : parameters)
    if (boost::beast::iequals(name, "q")) return value.find_first_not_of("0.") != value.npos;
  return true;
}

/// RFC 9110 section 12.5.3: gzip by name counts more than `*`.
bool accepts_gzip(request const& asked) {
  auto any = false;
  auto const headers = asked.equal_range(http::field::accept_encoding);
  for (auto header = headers.first; header != headers.second; ++header)
    for (auto const& [coding, parameters] : http::ext_list(header->value())) {
      if (boost::beast::iequals(coding, "gzip")) return has_weight(parameters);
      if (coding == "*") any = has_weight(parameters);
    }
  return any;
}

/// If-None-Match compares weakly (RFC 9110 section 13.1.2). Our tags have no commas.
bool has_already(request const& asked, std::string_view etag) {
  auto const headers = asked.equal_range(http::field::if_none_match);
  for (auto header = headers.first; header != headers.second; ++header) {
    std::string_view rest(header->value().data(), header->value().size());
    while (!rest.empty()) {
      auto const end = std::min(rest.find(','), rest.size());
      auto tag = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      tag.remove_prefix(std::min(tag.find_first_not_of(" \t"), tag.size()));
      tag = tag.substr(0, tag.find_last_not_of(" \t") + 1);
      if (tag.starts_with("W/")) tag.remove_prefix(2);
      if (tag == etag || tag == "*") return true;
    }
  }
  return false;
}

}  // namespace

response page_response(page_file const& file, request const& asked) {
  auto const zipped = accepts_gzip(asked);
  // Two representations have two tags (RFC 9110 section 8.8.3.3).
  auto const etag = '"' + std::string(file.etag) + (zipped ? "-gzip\"" : "\"");

  response answer(http::status::ok, 11);
  answer.set(http::field::server, "chorus");
  answer.set(http::field::etag, etag);
  answer.set(http::field::vary, "Accept-Encoding");
  // To be kept, and asked for each time: no page is older than its server.
  answer.set(http::field::cache_control, "no-cache");
  answer.set("Content-Security-Policy", content_security_policy);
  answer.set("X-Content-Type-Options", "nosniff");
  answer.set("Referrer-Policy", "no-referrer");
  answer.set("Permissions-Policy", permissions_policy);
  answer.set("Cross-Origin-Opener-Policy", "same-origin");
  answer.set("Cross-Origin-Resource-Policy", "same-origin");
  if (has_already(asked, etag)) {
    answer.result(http::status::not_modified);
    return answer;
  }
  answer.set(http::field::content_type, file.type);
  if (zipped) answer.set(http::field::content_encoding, "gzip");
  answer.body() = zipped ? file.gzipped : file.plain;
  answer.prepare_payload();
  return answer;
}

}  // namespace chorus
