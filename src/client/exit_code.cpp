#include "client/exit_code.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "client/display.hpp"

namespace chorus {

exit_reason exit_reason_of(incoming const& last) {
  if (last.what == incoming::kind::closed) {
    auto const reason = last.data.empty() ? "" : " " + displayable(last.data);
    return {exit_code::closed_by_server, "the server closed the connection: " + std::to_string(last.code) + reason};
  }
  // What the system or TLS reports is a lost connection. Anything else is the library's complaint about what came.
  auto const is_lost = last.error.category() == boost::system::system_category() ||
                       last.error.category() == net::error::get_misc_category() ||
                       last.error.category() == net::error::get_ssl_category();
  if (is_lost) return {exit_code::closed_by_server, "the connection is lost: " + last.data};
  return {exit_code::protocol_error, "the server does not speak WebSocket properly: " + last.data};
}

exit_reason exit_reason_of(connect_result const& refused, websocket_url const& to) {
  return {exit_code::failed, "cannot connect to " + to.text() + ": " + refused.what};
}

}  // namespace chorus
