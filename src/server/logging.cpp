#include "server/logging.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <mutex>
#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace chorus {

namespace {

constexpr char const* time_pattern = "%Y-%m-%dT%H:%M:%S.%eZ";

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

class json_formatter final : public spdlog::formatter {
 public:
  void format(spdlog::details::log_msg const& line, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_.format(line, time);
    boost::json::object const object{{"time", std::string_view(time.data(), time.size())},
                                     {"level", view(spdlog::level::to_string_view(line.level))},
                                     {"message", view(line.payload)}};
    auto const text = boost::json::serialize(object) + "\n";
    out.append(text.data(), text.data() + text.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(); }

 private:
  spdlog::pattern_formatter time_{time_pattern, spdlog::pattern_time_type::utc, ""};
};

/// Standard output for a server that must not stop when nobody reads its log: lines that a pipe has no room for are
/// dropped, and counted in a line of their own when there is room again.
class standard_output final : public spdlog::sinks::base_sink<std::mutex> {
 private:
  void sink_it_(spdlog::details::log_msg const& line) override {
    if (!has_room()) {
      ++dropped_;
      return;
    }
    if (dropped_ != 0) {
      auto const count = fmt::format("{} lines were dropped: the log was not read", std::exchange(dropped_, 0));
      print({line.logger_name, spdlog::level::warn, count});
    }
    print(line);
  }

  void flush_() override {}

  /// A pipe that is writable takes PIPE_BUF bytes (4 KiB) without blocking, and lines are shorter: names and close
  /// reasons are.
  static bool has_room() {
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
  }

  void print(spdlog::details::log_msg const& line) {
    spdlog::memory_buf_t text;
    formatter_->format(line, text);
    // What cannot be logged cannot be reported either.
    [[maybe_unused]] auto const written = ::write(STDOUT_FILENO, text.data(), text.size());
  }

  std::size_t dropped_ = 0;
};

}  // namespace

std::unique_ptr<spdlog::formatter> make_formatter(log_format format) {
  if (format == log_format::json) return std::make_unique<json_formatter>();
  return std::make_unique<spdlog::pattern_formatter>(std::string(time_pattern) + " %-7l %v",
                                                     spdlog::pattern_time_type::utc);
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level, log_format format) {
  auto log = std::make_shared<spdlog::logger>("chorus", std::make_shared<standard_output>());
  log->set_formatter(make_formatter(format));
  log->set_level(level);
  return log;
}

}  // namespace chorus
