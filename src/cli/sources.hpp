#pragma once
// Where options come from: three readers, one form.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/program.hpp"

namespace chorus::cli {

/// A key with its value. `key` is an option's name, or empty for an argument without one; `spelled` is how the source
/// writes it.
struct setting {
  std::string key;
  std::string value;
  std::string spelled;
};

/// What one source says, in its order.
struct source {
  std::string name;  ///< for messages: `command line`, `environment`, or the file's path
  std::function<std::string(std::string_view option)> spell;
  std::vector<setting> settings;
};

// These throw usage_error for what cannot be read, or is no setting. Whether keys and values mean something is for the
// caller.
source read_command_line(program const& what, std::span<char const* const> arguments);
source read_environment(program const& what, environment const& variables);
/// `config` is the setting of `named_in` that names the file.
source read_file(program const& what, source const& named_in, setting const& config);

/// Takes all settings of a key out of a source, and returns the last one.
std::optional<setting> take(source& from, std::string_view key);

/// The text of `--help`.
std::string help_text(program const& what);

/// Throws a usage_error of one line that names the source.
[[noreturn]] void fail(source const& in, std::string const& what);

/// In single quotes, with control characters escaped.
std::string quote(std::string_view text);

}  // namespace chorus::cli
