#include "server/liveness.hpp"

namespace chorus {

namespace {

bool expired(clock::time_point since, duration timeout, clock::time_point now) {
  return timeout != duration::zero() && now - since >= timeout;
}

}  // namespace

liveness::verdict liveness::check(clock::time_point now, outbound const& out) {
  if (stalled(now, out)) return verdict::write_timeout;
  if (!out.sealed) return check_pings(now, out);
  if (out.waiting || !close_sent_) {
    close_sent_ = !out.waiting;
    close_sent_at_ = now;
  }
  return expired(close_sent_at_, options_.ping_timeout, now) ? verdict::close_timeout : verdict::fine;
}

bool liveness::stalled(clock::time_point now, outbound const& out) {
  if (!out.waiting || out.progress != seen_progress_) {
    seen_progress_ = out.progress;
    last_progress_ = now;
  }
  return expired(last_progress_, options_.write_timeout, now);
}

liveness::verdict liveness::check_pings(clock::time_point now, outbound const& out) {
  // Behind a backlog a ping comes too late to be answered in time. There the write timeout watches.
  if (out.waiting) unanswered_since_ = last_ping_ = now;
  if (unanswered_ && expired(unanswered_since_, options_.ping_timeout, now)) return verdict::ping_timeout;
  if (!expired(last_ping_, options_.ping_interval, now)) return verdict::fine;
  last_ping_ = now;
  if (!unanswered_) unanswered_since_ = now;
  unanswered_ = true;
  return verdict::ping;
}

}  // namespace chorus
