#pragma once
// What is wrong, where in a script, and how to say it as a compiler would.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chorus::script {

/// A place in a script.
struct position {
  std::size_t line = 1;    ///< counts from 1
  std::size_t offset = 0;  ///< in bytes from the start of the line
};

/// The text of a script, for messages that quote it.
struct source {
  std::string name;  ///< as the user gave it
  std::vector<std::string> lines;

  /// Empty if there is no such line.
  std::string_view line(std::size_t number) const {
    if (number == 0 || number > lines.size()) return {};
    return lines[number - 1];
  }
};

/// One thing that is wrong.
struct diagnostic {
  position where;
  std::string message;
  /// What there is to know besides, as in {"expected", "\"hello\""}.
  std::vector<std::pair<std::string, std::string>> notes = {};
};

/// The script itself is wrong: its syntax, or, while it plays, an unknown user or variable.
class script_error : public std::runtime_error {
 public:
  explicit script_error(diagnostic of) : std::runtime_error(of.message), diagnostic_(std::move(of)) {}
  script_error(position where, std::string message) : script_error(diagnostic{where, std::move(message)}) {}

  diagnostic const& details() const { return diagnostic_; }

 private:
  diagnostic diagnostic_;
};

/// `file:line:column: error: message`, the line with a caret below the place, and the notes; ends with a line break.
/// Columns count characters.
std::string format(diagnostic const& what, source const& in);

/// Text in quotes for people: control characters and bytes that are not UTF-8 are escaped, and long text is cut, with
/// its length.
std::string quote(std::string_view text);

/// Bytes as in `hex:0a0b`; many are cut, with their number.
std::string quote_hex(std::string_view bytes);

/// All bytes in hexadecimal.
std::string to_hex(std::string_view bytes);

}  // namespace chorus::script
