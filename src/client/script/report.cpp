#include "client/script/report.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace chorus::script {

namespace {

bool is_check(step const& one) {
  constexpr verb acts[] = {verb::send, verb::send_binary, verb::stall, verb::unstall, verb::drop};
  return std::find(std::begin(acts), std::end(acts), one.what) == std::end(acts);
}

void print(std::FILE* to, std::string const& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

std::string as_comment(std::string const& lines) {
  std::string comment = "# ";
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    comment += lines[i];
    if (lines[i] == '\n') comment += "# ";
  }
  return comment + "\n";
}

/// The statement in the line of a test point, where a # would begin a directive.
std::string describe(std::string_view line) {
  std::string text;
  for (auto const c : line.substr(std::min(line.find_first_not_of(" \t"), line.size()))) {
    if (c == '#') text += '\\';
    text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return text;
}

}  // namespace

reporter::reporter(source const& script, bool tap) : script_(script), tap_(tap) {
  if (tap_) print(stdout, "TAP version 13\n");
}

void reporter::passed(step const& what, std::string const& counters) {
  ++steps_;
  if (is_check(what)) point("ok", what, counters);
}

void reporter::failed(step const& what, std::string const& counters, diagnostic why) {
  ++steps_;
  ok_ = false;
  if (!counters.empty()) why.notes.emplace_back("where", counters);
  point("not ok", what, counters);
  auto const text = format(why, script_);
  print(tap_ ? stdout : stderr, tap_ ? as_comment(text) : text);
}

void reporter::finish(std::size_t users) {
  auto const count = [](std::size_t n, std::string const& what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
  };
  if (tap_)
    print(stdout, "1.." + std::to_string(points_) + "\n");
  else if (ok_)
    print(stdout, script_.name + ": " + count(steps_, "step") + ", " + count(users, "user") + ", ok\n");
}

void reporter::point(char const* result, step const& what, std::string const& counters) {
  ++points_;
  if (!tap_) return;
  auto const where = "line " + std::to_string(what.where.line) + (counters.empty() ? "" : " (" + counters + ")");
  print(stdout, std::string(result) + " " + std::to_string(points_) + " - " + where + ": " +
                    describe(script_.line(what.where.line)) + "\n");
}

void report_unplayable(std::string const& message, bool tap) {
  print(stderr, message);
  if (tap) print(stdout, "Bail out! " + message.substr(0, message.find('\n')) + "\n");
}

}  // namespace chorus::script
