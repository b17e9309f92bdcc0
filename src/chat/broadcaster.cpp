#include "chat/broadcaster.hpp"

#include <algorithm>
#include <utility>

#include "support/slices.hpp"

namespace chorus {

namespace {

/// What the notice of a gap takes at most.
constexpr std::size_t gap_notice_size = 100;

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

broadcaster::broadcaster(executor ex, room_identity const& room, room_settings const& options,
                         dialect_table const& dialects, history_memory& memory, event_log& from, audience& to)
    : executor_(ex),
      room_(room),
      dialects_(dialects),
      log_(from),
      audience_(to),
      roster_(options.announce_limit),
      history_(options, memory),
      moved_on_(ex) {}

awaitable<bool> broadcaster::take_next() {
  auto news = co_await log_.next();
  if (news.at_end()) co_return false;
  co_await deal_with(std::move(news));
  done_ = audience_.returned();
  // Before the next batch: when much is said there may be no other moment.
  if (moved_on_.notify_all()) co_await let_others_run(executor_);
  co_return true;
}

awaitable<void> broadcaster::deal_with(log_batch news) {
  true_meanwhile const busy(busy_);
  give_back(news.failed);
  for (std::size_t next = 0; next != news.entries.size();) {
    auto what = fold(news.entries, next);
    co_await pass_on(std::move(what));
  }
}

awaitable<void> broadcaster::between_batches() {
  while (busy_) co_await moved_on_.wait();
}

void broadcaster::give_back(std::vector<draft> const& failed) {
  for (auto const& wanted : failed) {
    // Others must not see for ever who is gone.
    if (wanted.wants == draft::kind::leave) {
      log_.append(wanted);
      continue;
    }
    audience_.came_back(wanted);
    arrivals_.erase(wanted.from);
    if (auto* const member = audience_.find(wanted.from)) member->not_taken(wanted);
  }
}

broadcaster::folded broadcaster::fold(std::vector<log_entry>& entries, std::size_t& next) {
  folded result;
  result.events.reserve(entries.size() - next);
  while (next != entries.size() && !result.renamed) {
    auto& entry = entries[next++];
    auto const who = entry.what.from;
    audience_.came_back(entry.what);
    auto const& e = result.events.emplace_back(roster_.fold(std::move(entry)));
    if (e.what == event::kind::joined) {
      auto const expected = arrivals_.extract(who);
      if (!expected.empty()) result.newcomers.push_back({who, expected.mapped(), e.name, e.users});
    } else if (e.what == event::kind::renamed) {
      if (auto* const member = audience_.find(who)) member->renamed(e.text);
      if (!e.announced) result.renamed = who;
    }
  }
  return result;
}

awaitable<void> broadcaster::pass_on(folded what) {
  std::size_t done = 0;
  encoded_batch now(std::move(what.events), dialects_);
  for (auto const& newcomer : what.newcomers) {
    greet(newcomer, now.first() - 1);
    if (ends_slice(done)) co_await let_others_run(executor_);
  }
  co_await audience_.fan_out(now);
  if (what.renamed) {
    auto own = now.events().back();
    own.announced = true;
    if (auto* const member = audience_.find(*what.renamed)) {
      auto frames = dialects_[member->speaks()].encode({&own, 1});
      if (!frames.empty()) audience_.tell(*what.renamed, make_packet(std::move(frames)));
    }
  }
  history_.extend(std::move(now));
}

void broadcaster::greet(joined const& one, std::uint64_t before) {
  auto const& dialect = dialects_[one.how.speaks];
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
  audience::newcomer told{{greeting}, one.name, one.users};
  if (!missing.empty()) told.packets.push_back(make_packet(dialect.gap(missing)));
  told.packets.insert(told.packets.end(), past.packets.begin(), past.packets.end());
  audience_.greet(one.who, told);
}

broadcaster::beginning broadcaster::begin(arrival const& how, std::uint64_t before) const {
  auto const knows_us = how.since && how.since->epoch == room_.epoch && how.since->seq <= before;
  if (knows_us) return {how.since->seq, how.since->seq + 1 >= history_.first()};
  return {history_.before_last(how.history).value_or(before), false};
}

}  // namespace chorus
