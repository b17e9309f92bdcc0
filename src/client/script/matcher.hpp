#pragma once
// What a message must be. Pure: no input, no output.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/script/json_match.hpp"
#include "client/script/value.hpp"

namespace chorus::script {

/// What came from the server: the two kinds of WebSocket message.
struct message {
  bool binary = false;
  std::string data;
};

/// The message in quotes, for people.
std::string quote(message const& what);

/// A message of exactly these bytes.
struct exact {
  text expected;
  bool binary;
};

/// A text message in which the regular expression (Perl's syntax) is found. `.` is one character, `^` and `$` are the
/// ends of the message.
struct pattern {
  text expression;
  std::vector<std::string> captures;  ///< the groups `(?<name>...)` in it
};

/// A JSON text that has at least these members, and in them at least theirs. Arrays have as many elements.
struct json_subset {
  json_text expected;
  std::vector<std::string> captures;  ///< the `$?name` in it
};

using matcher = std::variant<exact, pattern, json_subset>;

/// What the matcher has captured; nothing if the message is another. Throws script_error if the matcher has variables
/// that are not `known`, or is too complex.
std::optional<variables> match(matcher const& expected, message const& came, variables const& known);

/// What is expected, for people, with the values of variables.
std::string describe(matcher const& expected, variables const& known);

/// The first place where a long text is not what was expected, for people. Empty if that says nothing new.
std::string describe_difference(matcher const& expected, message const& came, variables const& known);

/// Checks a regular expression, and finds its captures. Throws script_error.
pattern make_pattern(text expression);

}  // namespace chorus::script
