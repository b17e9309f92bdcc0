#pragma once
// How the server's log looks.

#include <memory>
#include <spdlog/logger.h>

namespace chorus {

enum class log_format { text, json };

/// A logger that writes lines to standard output. Text: time (UTC), level, message. JSON: an object with `time` (RFC
/// 3339, UTC), `level` and `message` per line. Any thread may log, and none waits for who reads: lines are dropped
/// while standard output is a pipe that nobody reads.
std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level, log_format format);

/// The formatter of a log format, for loggers with other sinks.
std::unique_ptr<spdlog::formatter> make_formatter(log_format format);

}  // namespace chorus
