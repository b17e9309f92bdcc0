#include "chat/room.hpp"

#include <utility>

namespace chorus {

room::room(room_commons& shared, room_identity which, std::unique_ptr<event_log> log, runner& by, courier& to_others)
    : shared_(shared),
      identity_(std::move(which)),
      runner_(by),
      log_(std::move(log)),
      audience_(shared, identity_, *this),
      outlets_(identity_, shared, audience_, to_others),
      broadcaster_(shared, identity_, *log_, outlets_) {}

awaitable<void> room::run() {
  try {
    for (auto more = true; more && !broadcaster_.is_done();) more = co_await broadcaster_.take_next();
  } catch (...) {
    close();
    outlets_.give_up();
    throw;
  }
  runs_ = false;
}

void room::submitted(shard_id from, submission what) {
  for (auto& [who, how] : what.arrivals) expect(who, how);
  for (auto& wanted : what.drafts) append(std::move(wanted));
  for (auto& asked : what.questions) ask(std::move(asked));
  outlets_.lost(from, what.gone);
  if (what.taken != 0) {
    outlets_.taken(from, what.taken);
    broadcaster_.moved_on();
  }
  if (what.drafts.empty()) return;
  if (closed_) return outlets_.give_up(from);
  start();
}

void room::close() {
  closed_ = true;
  log_->close();
  audience_.close();
  broadcaster_.answer_all();
  broadcaster_.moved_on();
}

void room::append(draft wanted) {
  if (closed_) return;
  auto const who = wanted.from;
  auto const count = wanted.count;
  // First: if there is no memory for it, nobody is to wait for it.
  log_->append(std::move(wanted));
  broadcaster_.appended(who, count);
}

void room::start() {
  if (closed_ || std::exchange(runs_, true)) return;
  try {
    runner_.start(*this);
  } catch (...) {
    runs_ = false;
    throw;
  }
}

void room::lost(dialect_id listener) noexcept {
  listener_count one = {};
  one[index_of(listener)] = 1;
  outlets_.lost(shared_.shard(), one);
}

}  // namespace chorus
