#pragma once
// A script as data: what the parser makes and the player plays.

#include <chrono>
#include <optional>
#include <string>
#include <utility>
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

/// docs/scripting.md says what each of them does.
enum class verb {
  connect,
  send,
  send_binary,
  ping,
  expect,
  expect_eventually,
  expect_subprotocol,
  expect_close,
  expect_refused,
  silence,
  stall,
  unstall,
  close,
  drop,
  repeat,
};

/// One statement of a script. What its verb has no use for is empty.
struct step {
  position where;
  std::chrono::milliseconds deadline;
  verb what = {};

  text user;
  target to;                                           ///< connect, expect_refused, expect_subprotocol
  text data;                                           ///< send, ping
  std::optional<json_text> json;                       ///< send: in place of the data
  std::vector<std::pair<matcher, position>> expected;  ///< expect; several come in any order
  unsigned code = 0;                                   ///< of a close frame; expect_refused: HTTP status
  std::optional<text> reason;                          ///< of a close frame; without one, any is expected
  std::chrono::milliseconds duration{};                ///< silence

  std::size_t times = 0;  ///< repeat
  std::string counter;
  std::vector<step> body;
};

}  // namespace chorus::script
