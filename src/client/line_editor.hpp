#pragma once
// The line that is being typed, and what appears above it.

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>
#include <optional>
#include <string>

#include "support/asio.hpp"

namespace chorus {

/// GNU Readline on standard input and output, driven by the executor: no thread, no blocking. Its state is global, so
/// there is one editor at a time. Restores the terminal when it is destroyed. Executor's thread only.
class line_editor {
 public:
  line_editor(executor ex, char const* prompt);
  line_editor(line_editor const&) = delete;
  line_editor& operator=(line_editor const&) = delete;
  ~line_editor();

  /// The next line; nothing at the end of input. History is on the arrow keys. Throws `system_error` when it is
  /// cancelled.
  awaitable<std::optional<std::string>> read_line();

  /// Prints a line above the one that is being typed, which stays as it is, cursor and all.
  void print_above(std::string const& text);

  /// Takes the line that is being typed off the screen, for good. `print_above` then prints as usual.
  void end();

 private:
  static void on_line(char* line);

  net::posix::basic_stream_descriptor<executor> input_;
  std::deque<std::string> lines_;
  bool input_ended_ = false;
  bool is_editing_ = false;
};

}  // namespace chorus
