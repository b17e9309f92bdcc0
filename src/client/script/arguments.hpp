#pragma once
// The arguments that several statements have.

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "client/script/scanner.hpp"
#include "client/script/step.hpp"

namespace chorus::script {

/// What the lines above have introduced.
struct scope {
  std::set<std::string> variables;
  std::set<std::string> users;
  bool any_user = false;  ///< a name with variables was connected: nobody can be called unknown before the script plays
};

// Each of these takes what `in` has next. Throws script_error if that is something else.

/// The name of a user, who may be new.
text parse_user(scanner& in);

/// The name of a user who was connected, as far as that can be known.
text parse_known_user(scanner& in, scope const& known);

/// Everything up to the end of the line: path, headers, subprotocol, size of the receive buffer.
target parse_target(scanner& in);

/// 1000 to 4999
std::uint16_t parse_close_code(scanner& in);

/// `200ms`, `5s`
std::chrono::milliseconds parse_duration(scanner& in);

}  // namespace chorus::script
