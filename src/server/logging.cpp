#include "server/logging.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <unistd.h>
#include <utf8proc.h>
#include <utility>
#include <vector>

#include "server/address.hpp"

namespace chorus {

namespace {

/// A line with two texts of that length from a peer, each byte an escape, is shorter than PIPE_BUF.
constexpr std::size_t longest_text = 256;

/// What is around an event.
std::string pattern(log_format format) {
  std::string const time = "%Y-%m-%dT%H:%M:%S.%eZ";
  return format == log_format::json ? R"({"time":")" + time + R"(","level":"%l",%v})" : time + " %-7l %v";
}

bool is_printable(utf8proc_int32_t point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    case UTF8PROC_CATEGORY_ZS: return point == ' ';
    default: return true;
  }
}

/// As JSON escapes it (RFC 8259 section 7).
void append_escaped(std::string& line, utf8proc_int32_t point) {
  auto const to = std::back_inserter(line);
  if (point > 0xFFFF) {
    fmt::format_to(to, "\\u{:04x}\\u{:04x}", 0xD7C0 + (point >> 10), 0xDC00 + (point & 0x3FF));
  } else {
    fmt::format_to(to, "\\u{:04x}", point);
  }
}

/// A string of JSON, and of either format: what does not print is escaped, and what is no UTF-8 replaced, since a
/// terminal may obey it.
void append_quoted(std::string& line, std::string_view text) {
  constexpr utf8proc_int32_t replacement = 0xFFFD;
  auto rest = text.substr(0, longest_text);
  line += '"';
  while (!rest.empty()) {
    utf8proc_int32_t point = 0;
    auto const length = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(rest.data()),
                                         static_cast<utf8proc_ssize_t>(rest.size()), &point);
    auto const size = length > 0 ? static_cast<std::size_t>(length) : 1;
    if (length <= 0 || !is_printable(point)) {
      append_escaped(line, length > 0 ? point : replacement);
    } else {
      if (point == '"' || point == '\\') line += '\\';
      line += rest.substr(0, size);
    }
    rest.remove_prefix(size);
  }
  line += text.size() > longest_text ? "...\"" : "\"";
}

/// Needs no quotes in text: nobody takes it for two fields, or none.
bool is_word(std::string_view text) {
  return text.size() <= longest_text &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '=' && c != '\\'; });
}

void append_value(std::string& line, log_format format, decltype(field::value) const& value) {
  if (auto const* const number = std::get_if<std::int64_t>(&value)) {
    fmt::format_to(std::back_inserter(line), "{}", *number);
  } else if (auto const* const time = std::get_if<std::chrono::nanoseconds>(&value)) {
    fmt::format_to(std::back_inserter(line), "{:.3f}", std::chrono::duration<double>(*time).count());
  } else {
    auto const* const address = std::get_if<tcp::endpoint const*>(&value);
    auto const text = std::string(address == nullptr ? std::get<std::string_view>(value) : to_string(**address));
    if (format == log_format::text && is_word(text)) {
      line += text;
    } else {
      append_quoted(line, text);
    }
  }
}

std::string make_line(log_format format, std::string_view event, fields about) {
  auto const json = format == log_format::json;
  auto line = json ? fmt::format(R"("event":"{}")", event) : std::string(event);
  for (auto const& [key, value] : about) {
    if (auto const* const text = std::get_if<std::string_view>(&value); text != nullptr && text->empty()) continue;
    line.append(json ? ",\"" : " ").append(key).append(json ? "\":" : "=");
    append_value(line, format, value);
  }
  return line;
}

class standard_output_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit standard_output_sink(log_format format) : event_format_(format) {}

 private:
  void sink_it_(spdlog::details::log_msg const& line) override {
    if (lost_ != 0 && has_room()) {
      auto const event = make_line(event_format_, "lost", {{"count", lost_}});
      if (print({line.logger_name, spdlog::level::warn, event})) lost_ = 0;
    }
    if (!has_room() || !print(line)) ++lost_;
  }

  void flush_() override {}

  /// A pipe that is writable takes PIPE_BUF bytes (4 KiB) without blocking, and lines are shorter.
  static bool has_room() {
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
  }

  bool print(spdlog::details::log_msg const& line) {
    spdlog::memory_buf_t text;
    formatter_->format(line, text);
    return ::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }

  log_format const event_format_;
  std::uint64_t lost_ = 0;
};

}  // namespace

logger::logger(spdlog::sink_ptr to, log_format format, spdlog::level::level_enum least, std::size_t per_second)
    : to_("chorus", std::move(to)), format_(format), limit_(per_second) {
  to_.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern(format), spdlog::pattern_time_type::utc));
  to_.set_level(least);
}

logger::~logger() {
  try {
    tell_omissions(clock::now() + std::chrono::seconds(1));
  } catch (...) {
    std::fputs("the log failed at its end\n", stderr);
  }
}

void logger::log(spdlog::level::level_enum level, std::string_view event, fields about) {
  if (!to_.should_log(level)) return;
  try {
    tell_omissions(clock::now());
    if (level >= spdlog::level::err || admits(event)) write(level, event, about);
  } catch (std::exception const&) {
    std::fputs("no memory for a line of the log\n", stderr);
  }
}

void logger::tell_omissions(clock::time_point now) {
  std::unique_lock lock(guard_);
  auto const left_out = limit_.advance(now);
  lock.unlock();
  for (auto const& [event, count] : left_out)
    write(spdlog::level::warn, "suppressed", {{"of", event}, {"count", count}});
}

bool logger::admits(std::string_view event) {
  std::lock_guard const lock(guard_);
  return limit_.admits(event);
}

void logger::write(spdlog::level::level_enum level, std::string_view event, fields about) {
  auto const line = make_line(format_, event, about);
  to_.log(level, spdlog::string_view_t(line.data(), line.size()));
}

spdlog::sink_ptr standard_output(log_format format) { return std::make_shared<standard_output_sink>(format); }

}  // namespace chorus
