#pragma once
// How the client ends.

#include "client/connection.hpp"

namespace chorus {

enum class exit_code : int {
  clean = 0,
  cannot_connect = 1,  ///< or a script failed
  bad_usage = 2,
  closed_by_server = 3,
  protocol_error = 4,
};

/// For the end of a connection that we did not ask for, with words for people.
struct ending {
  exit_code code;
  std::string why;
};
ending ending_of(incoming const& last);
ending ending_of(connect_result const& refused, websocket_url const& to);

}  // namespace chorus
