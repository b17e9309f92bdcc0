#include "logging.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <string_view>

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

}  // namespace

std::unique_ptr<spdlog::formatter> make_formatter(log_format format) {
  if (format == log_format::json) return std::make_unique<json_formatter>();
  return std::make_unique<spdlog::pattern_formatter>(std::string(time_pattern) + " %-5l %v",
                                                     spdlog::pattern_time_type::utc);
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::level::level_enum level, log_format format) {
  auto log = std::make_shared<spdlog::logger>("chorus", std::make_shared<spdlog::sinks::stdout_sink_st>());
  log->set_formatter(make_formatter(format));
  log->set_level(level);
  return log;
}

}  // namespace chorus
