#include "server/liveness.hpp"

#include <algorithm>
#include <utility>

namespace chorus {

namespace {

bool expired(clock::time_point since, duration timeout, clock::time_point now) {
  return timeout != duration::zero() && now - since >= timeout;
}

/// Half the ping interval, times `place` out of 2^32.
duration part_of_half(duration interval, std::uint32_t place) { return interval / 2 * (place >> 16) / (1 << 16); }

}  // namespace

liveness::liveness(settings const& options, clock::time_point now, std::uint32_t place)
    : options_(options),
      progress_at_(now),
      asked_at_(now),
      next_ping_(now + part_of_half(options.ping_interval, place)) {}

liveness::verdict liveness::check(clock::time_point now, outbound const& out) {
  auto const acknowledged = out.sent - std::min(out.sent, out.unacknowledged);
  auto const progress = acknowledged != std::exchange(acknowledged_, acknowledged);
  if (progress || !out.waiting) progress_at_ = now;
  if (expired(progress_at_, options_.write_timeout, now)) return verdict::write_timeout;
  if (out.sealed && question_ != question::close) ask(question::close, now, out);
  if (question_ == question::none) return check_silence(now, out);
  return check_question(now, out, progress);
}

void liveness::ask(question q, clock::time_point now, outbound const& out) {
  question_ = q;
  question_at_ = out.sent;
  reached_ = true;
  asked_at_ = now;
}

liveness::verdict liveness::check_question(clock::time_point now, outbound const& out, bool progress) {
  // Nothing follows a close frame, but what is before it may still have to be sent.
  if (question_ == question::close) question_at_ = out.sent;
  auto const had_reached = std::exchange(reached_, acknowledged_ >= question_at_);
  auto const on_its_way = had_reached ? !reached_ : progress;
  if (on_its_way || out.waiting || !reading_) asked_at_ = now;
  if (!expired(asked_at_, options_.ping_timeout, now)) return verdict::fine;
  return question_ == question::close ? verdict::close_timeout : verdict::ping_timeout;
}

liveness::verdict liveness::check_silence(clock::time_point now, outbound const& out) {
  if (options_.ping_interval == duration::zero() || now < next_ping_) return verdict::fine;
  next_ping_ += options_.ping_interval / 2;
  // Behind a backlog a ping comes too late to be answered in time. There the write timeout watches.
  auto const due = silent_ && reading_ && !out.waiting;
  silent_ = true;
  if (!due) return verdict::fine;
  ask(question::ping, now, out);
  return verdict::ping;
}

}  // namespace chorus
