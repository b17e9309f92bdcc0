#include "bench/handshake.hpp"

#include <fmt/format.h>
#include <string_view>

#include "bench/check_failed.hpp"
#include "protocol/json_dialect.hpp"

namespace chorus::bench {

namespace {

namespace http = boost::beast::http;

// The sample of RFC 6455 section 1.3. It saves a thousand hashes, and a server cannot tell.
constexpr std::string_view websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view answer_to_key = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

}  // namespace

std::string upgrade_request(target const& to) {
  auto const offer = to.json_dialect ? fmt::format("Sec-WebSocket-Protocol: {}\r\n", json_dialect::subprotocol) : "";
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: {}\r\n{}User-Agent: chorus-bench\r\n\r\n",
      to.url.path, to.url.authority(), websocket_key, offer);
}

void check_upgraded(upgrade_answer const& answer, target const& to) {
  if (answer.result() != http::status::switching_protocols)
    throw check_failed(fmt::format("the server answered {} {} instead of 101", answer.result_int(),
                                   std::string_view(answer.reason())));
  if (answer[http::field::sec_websocket_accept] != answer_to_key)
    throw check_failed("the server's Sec-WebSocket-Accept is wrong");
  auto const chosen = answer[http::field::sec_websocket_protocol];
  if (chosen.empty() && to.json_dialect)
    throw check_failed(fmt::format("the server does not agree to the subprotocol {}", json_dialect::subprotocol));
  if (!chosen.empty() && (!to.json_dialect || chosen != json_dialect::subprotocol))
    throw check_failed(
        fmt::format("the server chose the subprotocol '{}', which was not offered", std::string_view(chosen)));
}

}  // namespace chorus::bench
