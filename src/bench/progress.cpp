#include "bench/progress.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

namespace chorus::bench {

namespace {

constexpr auto period = std::chrono::milliseconds(100);
constexpr char const* clear_line = "\r\x1b[K";

}  // namespace

progress_line::progress_line(run& r) : run_(r), enabled_(::isatty(STDERR_FILENO) != 0), next_(clock::now() + period) {}

progress_line::~progress_line() {
  if (enabled_) fmt::print(stderr, "{}", clear_line);
}

void progress_line::update(clock::time_point now) {
  if (!enabled_ || now < next_) return;
  next_ = now + period;
  auto const& talk = run_.people.talk();
  auto const expected = talk.expected();
  auto const share = expected == 0 ? 0 : 100 * (talk.delivered() + talk.missed()) / expected;
  // Of the other threads one cannot know without waiting for them.
  auto const* const of = run_.workers.size() == 1 ? "" : " by the first thread";
  fmt::print(stderr, "{}{}: {} connected{}, {} % delivered", clear_line, run_.stage, run_.people.participants().size(),
             of, share);
  std::fflush(stderr);
}

}  // namespace chorus::bench
