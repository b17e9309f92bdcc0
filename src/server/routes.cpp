#include "server/routes.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <range/v3/algorithm/all_of.hpp>
#include <range/v3/algorithm/any_of.hpp>
#include <string>

#include "server/page_response.hpp"

namespace chorus {

namespace {

using http::status;

constexpr std::string_view websocket_version = "13";

std::string_view target_of(request const& asked) { return {asked.target().data(), asked.target().size()}; }

std::string_view header(request const& asked, http::field name) {
  auto const value = asked[name];
  return {value.data(), value.size()};
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/// 16 bytes in base64 (RFC 6455 section 4.1).
bool is_websocket_key(std::string_view key) {
  return key.size() == 24 && key.ends_with("==") && ranges::all_of(key.substr(0, 22), is_base64);
}

response upgrade_required(std::string_view detail) {
  auto answer = problem(status::upgrade_required, detail);
  answer.set(http::field::connection, "upgrade");
  answer.set(http::field::upgrade, "websocket");
  answer.set(http::field::sec_websocket_version, websocket_version);
  return answer;
}

/// The first of the offered subprotocols that there is; an unknown one is no error (RFC 6455 section 4.2.2).
dialect_id offered_dialect(request const& asked) {
  auto const offers = asked.equal_range(http::field::sec_websocket_protocol);
  for (auto offer = offers.first; offer != offers.second; ++offer)
    for (auto const& token : http::token_list(offer->value()))
      for (auto const each : all_dialects)
        if (std::string_view(token.data(), token.size()) == subprotocols[index_of(each)]) return each;
  return dialect_id::text;
}

std::variant<destination, response> decide_upgrade(service to, request const& asked, circumstances const& now) {
  destination granted{to};
  if (to == service::chat) {
    // First, and so for a plain GET too: a page hears only from that why it may not come in.
    auto wishes = parse_join_request(target_of(asked));
    if (auto const* const wrong = std::get_if<std::string>(&wishes)) return problem(status::bad_request, *wrong);
    granted.speaks = offered_dialect(asked);
    granted.wishes = std::get<join_request>(std::move(wishes));
  }
  if (!boost::beast::websocket::is_upgrade(asked)) return upgrade_required("This is a WebSocket endpoint.");
  if (header(asked, http::field::sec_websocket_version) != websocket_version)
    return upgrade_required("Sec-WebSocket-Version must be 13.");
  if (!is_websocket_key(header(asked, http::field::sec_websocket_key)))
    return problem(status::bad_request, "Sec-WebSocket-Key must be 16 bytes in base64.");
  if (!origin_allowed(header(asked, http::field::origin), header(asked, http::field::host), now.options))
    return problem(status::forbidden, "Pages from this Origin may not connect.");
  if (now.draining) return unavailable("The server is stopping.");
  if (now.full) return unavailable("There are as many connections as the server takes.");
  return granted;
}

}  // namespace

std::variant<destination, response> route(request const& asked, circumstances const& now) {
  if (asked.version() >= 11 && asked.count(http::field::host) != 1)
    return problem(status::bad_request, "There must be one Host header.");

  auto const target = target_of(asked);
  auto const path = target.substr(0, target.find('?'));
  auto const to = is_chat_path(target) ? std::optional(service::chat)
                  : path == "/echo"    ? std::optional(service::echo)
                                       : std::nullopt;
  auto const* const file = now.options.page ? find_page_file(path) : nullptr;
  if (!to && file == nullptr && path != "/healthz" && path != "/readyz")
    return problem(status::not_found, std::string("There is ") + (now.options.page ? "/, " : "") +
                                          "/chat, /chat/{room}, /echo, /healthz and /readyz.");

  if (auto refusal = refuse_other_methods(asked)) return std::move(*refusal);
  if (to) return decide_upgrade(*to, asked, now);
  if (file != nullptr) return page_response(*file, asked);
  return health(path, now.ready);
}

response text(status result, std::string body) {
  response answer(result, 11, std::move(body));
  answer.set(http::field::server, "chorus");
  answer.set(http::field::content_type, "text/plain; charset=utf-8");
  answer.prepare_payload();
  return answer;
}

response problem(status result, std::string_view detail) {
  boost::json::object const body{
      {"title", http::obsolete_reason(result)}, {"status", static_cast<unsigned>(result)}, {"detail", detail}};
  auto answer = text(result, boost::json::serialize(body) + "\n");
  answer.set(http::field::content_type, "application/problem+json");
  return answer;
}

response unavailable(std::string_view detail) {
  auto answer = problem(status::service_unavailable, detail);
  answer.set(http::field::retry_after, "5");
  return answer;
}

response health(std::string_view path, bool ready) {
  if (path == "/readyz" && !ready) return unavailable("The server is stopping.");
  return text(status::ok, "ok\n");
}

std::optional<response> refuse_other_methods(request const& asked) {
  if (asked.method() == http::verb::get || asked.method() == http::verb::head) return std::nullopt;
  auto answer = problem(status::method_not_allowed, "Use GET.");
  answer.set(http::field::allow, "GET, HEAD");
  return answer;
}

void fit(response& answer, request_parser const& asked, bool last) {
  auto const has_body = asked.chunked() || asked.content_length().value_or(0) != 0;
  if (asked.get().method() == http::verb::head) answer.body().clear();
  answer.keep_alive(asked.get().keep_alive() && !has_body && !last);
}

bool origin_allowed(std::string_view origin, std::string_view host, settings const& options) {
  if (origin.empty()) return true;
  auto const authority = origin.find("://");
  if (authority != std::string_view::npos && boost::beast::iequals(origin.substr(authority + 3), host)) return true;
  return ranges::any_of(options.allow_origins, [&](std::string const& allowed) {
    return allowed == "*" || boost::beast::iequals(origin, allowed);
  });
}

}  // namespace chorus
