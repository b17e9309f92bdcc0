#pragma once
// A script as data: what the parser makes and the player plays.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client/script/matcher.hpp"
#include "client/script/value.hpp"

namespace chorus::script {

/// How and where to connect.
struct target {
  text path;  ///< empty: that of the base URL
  std::vector<std::pair<std::string, text>> headers;
  text subprotocol;
  int receive_buffer = 0;  ///< in bytes; 0 leaves the system's
};

// One struct per statement; docs/scripting.md says what each of them does.

struct connect_user {
  text user;
  target to;
};

struct send_message {
  text user;
  text data;
  bool binary;
};

struct ping_server {
  text user;
  text payload;
};

struct expect_messages {
  text user;
  std::vector<std::pair<matcher, position>> all;  ///< several come in any order
  bool eventually = false;                        ///< others may come before
};

struct expect_close {
  text user;
  std::uint16_t code;
  std::optional<text> reason;
};

struct expect_refused {
  unsigned status;
  target to;
};

struct expect_silence {
  text user;
  std::chrono::milliseconds duration;
};

struct set_stalled {
  text user;
  bool stalled;
};

struct close_user {
  text user;
  std::uint16_t code;
  text reason;
};

struct drop_user {
  text user;
};

struct step;

struct repeat_steps {
  std::size_t times;
  std::string counter;
  std::vector<step> body;
};

/// One statement of a script.
struct step {
  position where;
  std::chrono::milliseconds deadline;
  std::variant<connect_user, send_message, ping_server, expect_messages, expect_close, expect_refused, expect_silence,
               set_stalled, close_user, drop_user, repeat_steps>
      what;
};

}  // namespace chorus::script
