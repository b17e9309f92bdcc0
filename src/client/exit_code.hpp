#pragma once
// How the client ends.

#include "cli/exit_code.hpp"
#include "client/connection.hpp"

namespace chorus {

enum class exit_code : int {
  clean = cli::success,
  failed = cli::failure,  ///< cannot connect, or a script failed
  bad_usage = cli::bad_usage,
  closed_by_server = 3,
  protocol_error = 4,
};

/// For the end of a connection that we did not ask for, with words for people.
struct exit_reason {
  exit_code code;
  std::string why;
};
exit_reason exit_reason_of(incoming const& last);
exit_reason exit_reason_of(connect_result const& refused, websocket_url const& to);

}  // namespace chorus
