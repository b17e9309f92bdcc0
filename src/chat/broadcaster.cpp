#include "chat/broadcaster.hpp"

#include <algorithm>
#include <utility>

#include "support/slices.hpp"

namespace chorus {

namespace {

/// What the notice of a gap takes at most.
constexpr std::size_t gap_notice_size = 100;

/// A replay ends with the event that reaches it.
constexpr std::size_t max_replay_bytes = 64 * 1024;

/// True while it lives, however that ends.
class true_meanwhile {
 public:
  explicit true_meanwhile(bool& what) : what_(what) { what_ = true; }
  true_meanwhile(true_meanwhile const&) = delete;
  true_meanwhile& operator=(true_meanwhile const&) = delete;
  ~true_meanwhile() { what_ = false; }

 private:
  bool& what_;
};

}  // namespace

broadcaster::broadcaster(room_commons& shared, room_identity const& room, event_log& from, outlets& to)
    : shared_(shared),
      room_(room),
      log_(from),
      outlets_(to),
      roster_(shared.options.announce_limit),
      history_(shared.options, shared.memory),
      moved_on_(shared.ex) {}

awaitable<bool> broadcaster::take_next() {
  while (!outlets_.has_credit()) co_await moved_on_.wait();
  auto news = co_await log_.next();
  if (news.at_end()) co_return false;
  co_await deal_with(std::move(news));
  done_ = in_flight_.returned();
  // Before the next batch: when much is said there may be no other moment.
  if (moved_on_.notify_all()) co_await let_others_run(shared_.ex);
  co_return true;
}

awaitable<void> broadcaster::caught_up(bool const& given_up) {
  auto const wanted = in_flight_.appended();
  while (!given_up && done_ < wanted) co_await moved_on_.wait();
  // While more is said there may always be something underway.
  auto const sent = outlets_.sent_yet();
  while (!given_up && !outlets_.have_taken(sent)) co_await moved_on_.wait();
}

awaitable<void> broadcaster::deal_with(log_batch news) {
  true_meanwhile const busy(busy_);
  give_back(news.failed);
  for (std::size_t next = 0; next != news.entries.size();) {
    auto what = fold(news.entries, next);
    co_await pass_on(std::move(what));
  }
  // Where nothing has its place it is told here.
  if (news.entries.empty()) {
    packets const nothing{};
    co_await outlets_.send(nothing);
  }
  while (!questions_.empty()) {
    auto const first = std::move(questions_.front());
    questions_.pop_front();
    answer(first);
    // A replay takes long.
    co_await let_others_run(shared_.ex);
  }
}

void broadcaster::give_back(std::vector<draft>& failed) {
  for (auto& wanted : failed) {
    // Others must not see for ever who is gone.
    if (wanted.wants == draft::kind::leave) {
      log_.append(std::move(wanted));
      continue;
    }
    come_back(wanted);
    arrivals_.erase(wanted.from);
    if (auto* const to = outlets_.next_for(wanted.from)) to->refused.push_back(std::move(wanted));
  }
}

void broadcaster::come_back(draft const& one) {
  if (!in_flight_.came_back(one)) return;
  auto* const to = outlets_.next_for(one.from);
  ++to->drafts;
  to->bytes += size_of(one);
}

/// A newcomer's packets are held until they are pushed, and those of very many would be many.
bool broadcaster::folded::is_whole() const { return renamed || newcomers.size() == slice; }

broadcaster::folded broadcaster::fold(std::vector<log_entry>& entries, std::size_t& next) {
  folded result;
  result.events.reserve(entries.size() - next);
  while (next != entries.size() && !result.is_whole()) {
    auto& entry = entries[next++];
    auto const who = entry.what.from;
    come_back(entry.what);
    auto const& folded_in = result.events.emplace_back(roster_.fold(std::move(entry)));
    note(result, who, folded_in);
  }
  return result;
}

void broadcaster::note(folded& in, member_id who, event const& last) {
  switch (last.what) {
    case event::kind::joined:
      if (auto const expected = arrivals_.extract(who); !expected.empty())
        in.newcomers.push_back({who, expected.mapped(), last.name, last.users});
      break;
    case event::kind::left:
      // It has gone before it could be greeted.
      std::erase_if(in.newcomers, [who](auto const& one) { return one.who == who; });
      break;
    case event::kind::renamed:
      if (auto* const to = outlets_.next_for(who)) to->renamed.push_back({who, last.text});
      if (!last.announced) in.renamed = who;
      break;
    case event::kind::message:
    case event::kind::nothing: break;
  }
}

awaitable<void> broadcaster::pass_on(folded what) {
  encoded_batch now(std::move(what.events), shared_.dialects);
  for (auto& newcomer : what.newcomers) outlets_.add(greet(newcomer, now.first() - 1));
  packets everyones;
  for (auto const dialect : all_dialects)
    if (outlets_.anyone_hears(dialect)) everyones[index_of(dialect)] = now.in(dialect);
  if (what.renamed) tell_own_rename(*what.renamed, now.events().back());
  messages_ += now.messages();
  shared_.tally.messages += now.messages();
  co_await outlets_.send(everyones);
  history_.extend(std::move(now));
}

void broadcaster::tell_own_rename(member_id who, event renamed) {
  auto* const to = outlets_.next_for(who);
  if (to == nullptr) return;
  renamed.announced = true;
  packets own;
  for (auto const dialect : all_dialects) {
    auto frames = shared_.dialects[dialect].encode({&renamed, 1});
    if (!frames.empty()) own[index_of(dialect)] = make_packet(std::move(frames));
  }
  to->notes.push_back({who, own});
}

delivery::newcomer broadcaster::greet(joined& one, std::uint64_t before) {
  auto const& dialect = shared_.dialects[one.how.speaks];
  auto const from = begin(one.how, before);
  auto const greeting =
      make_packet(dialect.greeting({room_.name, one.name, one.users, room_.epoch, from.seq, from.recovered}));
  auto const overhead = greeting->bytes.size() + gap_notice_size;
  auto past = history_.after(from.seq, one.how.speaks, one.how.limit - std::min(one.how.limit, overhead));

  event_range missing = past.too_much;
  if (from.seq + 1 < history_.first()) {
    missing.first = from.seq + 1;
    missing.last = std::max(missing.last, history_.first() - 1);
  }
  delivery::newcomer newcomer{one.who, one.how.speaks, {greeting}, std::move(one.name), one.users};
  if (!missing.empty()) newcomer.told.push_back(make_packet(dialect.gap(missing)));
  newcomer.told.insert(newcomer.told.end(), past.packets.begin(), past.packets.end());
  return newcomer;
}

broadcaster::beginning broadcaster::begin(arrival const& how, std::uint64_t before) const {
  auto const knows_us = how.since && how.since->epoch == room_.epoch && how.since->seq <= before;
  if (knows_us) return {how.since->seq, how.since->seq + 1 >= history_.first()};
  return {history_.before_last(how.history).value_or(before), false};
}

void broadcaster::ask(question asked) {
  questions_.push_back(std::move(asked));
  if (!busy_) answer_all();
}

void broadcaster::answer_all() {
  for (; !questions_.empty(); questions_.pop_front()) answer(questions_.front());
}

/// What goes wrong in it is the affair of the one who asks.
void broadcaster::answer(question const& asked) {
  delivery::note told{asked.from, {}};
  try {
    auto const* const past = std::get_if<replay>(&asked.what);
    auto found = past == nullptr ? tell_users(asked.in) : tell_past(asked.in, *past);
    told.what[index_of(asked.in)] = make_packet(std::move(found.frames));
    told.answers = found.events;
  } catch (...) {
    told.failed = std::current_exception();
  }
  outlets_.tell(std::move(told));
}

history::excerpt broadcaster::tell_users(dialect_id in) const {
  std::vector<std::string> names;
  if (roster_.tells_presence()) names = roster_.names();
  return {shared_.dialects[in].users(roster_.users(), roster_.tells_presence() ? &names : nullptr)};
}

history::excerpt broadcaster::tell_past(dialect_id in, replay const& asked) const {
  auto const& dialect = shared_.dialects[in];
  auto const newest = roster_.seq();
  if (asked.from > newest)
    return {dialect.error(refusal::bad_request, "Nothing has happened here after " + std::to_string(newest) + ".",
                          asked.id)};
  auto const to = std::min(asked.to, newest);
  auto const lost = std::min(to, std::max(history_.first(), asked.from) - 1);
  history::excerpt found{.last = lost};
  if (lost < to) found = history_.between(lost + 1, to, dialect, max_replay_bytes);
  if (lost >= asked.from) found.frames.insert(0, dialect.gap({asked.from, lost}));
  found.frames += dialect.replayed(asked.from, found.last);
  return found;
}

}  // namespace chorus
