#include "chat/room.hpp"

#include <algorithm>
#include <utility>

namespace chorus {

room::room(room_commons& shared, room_identity which, std::unique_ptr<event_log> log, runner& by)
    : shared_(shared),
      identity_(std::move(which)),
      runner_(by),
      log_(std::move(log)),
      audience_(shared.ex),
      broadcaster_(shared.ex, identity_, shared.options, shared.dialects, shared.memory, *log_, audience_) {}

awaitable<void> room::run() {
  try {
    for (auto more = true; more && !has_caught_up();) more = co_await broadcaster_.take_next();
  } catch (...) {
    close();
    throw;
  }
  runs_ = false;
}

awaitable<void> room::caught_up() {
  auto const wanted = audience_.appended();
  while (broadcaster_.done() < wanted && !closed_) co_await broadcaster_.moved_on().wait();
}

awaitable<void> room::wait_while_behind() {
  while (is_behind()) co_await broadcaster_.moved_on().wait();
}

void room::close() {
  closed_ = true;
  log_->close();
  broadcaster_.moved_on().notify_all();
}

void room::append(draft wanted) {
  if (closed_) return;
  auto const who = wanted.from;
  auto const count = wanted.count;
  auto const size = size_of(wanted);
  // First: if there is no memory for it, nobody is to wait for it.
  log_->append(std::move(wanted));
  audience_.appended(who, count, size);
  if (std::exchange(runs_, true)) return;
  try {
    runner_.start(*this);
  } catch (...) {
    runs_ = false;
    throw;
  }
}

awaitable<void> room::tell_users(member_id who, dialect_id in) {
  co_await broadcaster_.between_batches();
  auto const& present = broadcaster_.present();
  std::vector<std::string> names;
  if (present.tells_presence()) names = present.names();
  auto frames = shared_.dialects[in].users(present.users(), present.tells_presence() ? &names : nullptr);
  audience_.tell(who, make_packet(std::move(frames)));
}

awaitable<std::uint64_t> room::tell_past(member_id who, dialect_id in, replay asked) {
  co_await broadcaster_.between_batches();
  auto const& dialect = shared_.dialects[in];
  auto const& past = broadcaster_.past();
  auto const newest = broadcaster_.present().seq();
  if (asked.from > newest) {
    auto frames = dialect.error(refusal::bad_request, "Nothing has happened here after " + std::to_string(newest) + ".",
                                asked.id);
    audience_.tell(who, make_packet(std::move(frames)));
    co_return 0;
  }
  auto const to = std::min(asked.to, newest);
  auto const lost = std::min(to, std::max(past.first(), asked.from) - 1);
  std::string frames;
  if (lost >= asked.from) frames = dialect.gap({asked.from, lost});
  history::excerpt found{.last = lost};
  if (lost < to) found = past.between(lost + 1, to, dialect, max_replay_bytes);
  frames += found.frames;
  frames += dialect.replayed(asked.from, found.last);
  audience_.tell(who, make_packet(std::move(frames)));
  co_return found.events;
}

member::member(room& in, recipient& hears) : room_(in), id_(in.shared_.next_member()), speaks_(hears.speaks()) {
  in.audience_.add(id_, hears);
}

// Once it is in the audience, the destructor takes it out, also if the rest throws.
member::member(room& in, recipient& hears, join_request const& wishes) : member(in, hears) {
  // A cursor means nothing to those who are not told where they are.
  auto const since = speaks_ == dialect_id::json ? wishes.since : std::nullopt;
  in.broadcaster_.expect(id_, {speaks_, hears.out().limit(), wishes.history, since});
  append(draft::kind::join, wishes.name);
}

member::~member() {
  try {
    append(draft::kind::leave);
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // There is no memory to say so: the others see it until the room ends.
  }
  room_.audience_.remove(id_);
}

void member::say(std::string text, std::string id) { append(draft::kind::say, std::move(text), std::move(id)); }

void member::rename(std::string name, std::string id) { append(draft::kind::rename, std::move(name), std::move(id)); }

awaitable<void> member::ask_users() { return room_.tell_users(id_, speaks_); }

awaitable<std::uint64_t> member::ask_replay(replay asked) { return room_.tell_past(id_, speaks_, std::move(asked)); }

void member::append(draft::kind wants, std::string text, std::string id) {
  room_.append({id_, ++drafts_, room_.shared_.now(), wants, std::move(text), std::move(id)});
}

}  // namespace chorus
