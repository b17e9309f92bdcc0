#pragma once
// The server's log: events, one per line. docs/operations.md lists them.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <spdlog/logger.h>
#include <string_view>
#include <variant>

#include "server/line_limit.hpp"
#include "support/asio.hpp"

namespace chorus {

enum class log_format { text, json };

/// One thing that an event says: text, a number, an address, or a time, which is written in seconds. Refers to what it
/// is made of, for as long as a call takes.
struct field {
  field(std::string_view name, std::string_view text) : key(name), value(text) {}
  field(std::string_view name, std::integral auto number) : key(name), value(static_cast<std::int64_t>(number)) {}
  field(std::string_view name, std::chrono::nanoseconds time) : key(name), value(time) {}
  field(std::string_view name, tcp::endpoint const& address) : key(name), value(&address) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::chrono::nanoseconds, tcp::endpoint const*> value;
};

using fields = std::initializer_list<field>;

/// Writes events: `log.info("joined", {{"name", name}, {"users", 3}})` is, after time (UTC) and level,
/// `joined name=al users=3` as text, and an object per line as JSON. A text that is empty is left out, one of more than
/// 256 bytes is cut; whatever it contains, it ends no line and no field. Names of events and keys are literals: words
/// that stay, for those who search. Keys other than `time`, `level` and `event`.
///
/// Any thread may log. It does not throw where there is no memory for a line.
class logger {
 public:
  /// Levels below `least` are off, and cost a comparison. Of the others, up to warnings, `per_second` lines of each
  /// event are written in a second, 0 is no limit; `suppressed` says how many were left out, before the first line
  /// after that second, or at the end.
  logger(spdlog::sink_ptr to, log_format format, spdlog::level::level_enum least, std::size_t per_second);
  logger(logger const&) = delete;
  logger& operator=(logger const&) = delete;
  ~logger();

  void debug(std::string_view event, fields about = {}) { log(spdlog::level::debug, event, about); }
  void info(std::string_view event, fields about = {}) { log(spdlog::level::info, event, about); }
  void warn(std::string_view event, fields about = {}) { log(spdlog::level::warn, event, about); }
  void error(std::string_view event, fields about = {}) { log(spdlog::level::err, event, about); }
  void critical(std::string_view event, fields about = {}) { log(spdlog::level::critical, event, about); }

 private:
  void log(spdlog::level::level_enum level, std::string_view event, fields about);
  void tell_omissions(clock::time_point now);
  bool admits(std::string_view event);
  void write(spdlog::level::level_enum level, std::string_view event, fields about);

  spdlog::logger to_;
  log_format const format_;
  std::mutex guard_;  ///< of what follows
  line_limit limit_;
};

/// Where the log of the program goes: standard output. No thread waits for who reads it: lines are lost while it takes
/// none, being a pipe that nobody reads or a disk that is full, and `lost` counts them when it takes some again.
spdlog::sink_ptr standard_output(log_format format);

}  // namespace chorus
