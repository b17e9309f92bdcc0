#pragma once
// How failures of steps are told.

#include <chrono>
#include <string>

#include "client/script/diagnostic.hpp"
#include "client/script/step.hpp"
#include "client/script/user.hpp"

namespace chorus::script {

/// `5s`, `200ms`
std::string to_string(std::chrono::milliseconds duration);

/// The next message was taken, and it is not what was expected.
diagnostic wrong_message(position where, user& who, std::string expected, message const& came);

/// No message has come: the connection has ended, or the deadline has passed.
diagnostic no_message(step const& now, position where, user const& who, std::string expected);

/// An operation of the user's own has failed, as in "bob could not send".
diagnostic cannot(step const& now, user const& who, std::string const& what, error_code why);

/// What waits in the inbox, up to five messages, and how the connection ended.
std::string describe_waiting(user& who);

}  // namespace chorus::script
