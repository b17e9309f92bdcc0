#pragma once
// What a log has yielded, and what members are to hear of it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/event_log.hpp"
#include "chat/roster.hpp"
#include "plain_dialect.hpp"

namespace chorus::test {

/// Everything that has happened in a room so far, by `seq`.
class log_record {
 public:
  struct place {
    event what;
    member_id by;
    std::uint64_t batch;  ///< the first event of those that are passed on with it
    std::string line;     ///< what a member hears of it in plain dialect; empty if nothing
    std::string users;    ///< the answer to who asks who is there
  };

  explicit log_record(std::size_t announce_limit) : fold_(announce_limit) {}

  void add(log_batch const& yielded) {
    for (auto const& draft : yielded.failed) failed_[draft.from].push_back(draft.count);
    auto batch = last() + 1;
    for (auto const& entry : yielded.entries) {
      auto e = fold_.fold(entry);
      auto line = plain_.encode({&e, 1});
      if (e.what == event::kind::joined) joins_.emplace(entry.what.from, e.seq);
      // A rename of which only one member hears stands at the end.
      auto const ends_batch = e.what == event::kind::renamed && !e.announced;
      places_.push_back({std::move(e), entry.what.from, batch, std::move(line), users()});
      if (ends_batch) batch = last() + 1;
    }
  }

  std::uint64_t last() const { return places_.size(); }
  place const& at(std::uint64_t seq) const { return places_.at(seq - 1); }
  std::size_t users_now() const { return fold_.users(); }

  /// 0 if it has not joined.
  std::uint64_t join_of(member_id who) const {
    auto const found = joins_.find(who);
    return found == joins_.end() ? 0 : found->second;
  }
  /// Counts of the drafts that have got no place.
  std::vector<std::uint64_t> failed_of(member_id who) const {
    auto const found = failed_.find(who);
    return found == failed_.end() ? std::vector<std::uint64_t>() : found->second;
  }
  /// The next event after `seq` that members hear of; `last() + 1` if there is none.
  std::uint64_t next_heard(std::uint64_t seq) const {
    for (++seq; seq <= last() && at(seq).line.empty();) ++seq;
    return seq;
  }
  /// Messages after `from` and not after `to`.
  std::uint64_t messages(std::uint64_t from, std::uint64_t to) const {
    std::uint64_t count = 0;
    for (auto seq = from + 1; seq <= to; ++seq) count += is_message(at(seq).what) ? 1 : 0;
    return count;
  }

 private:
  /// Where very many are here nobody asks.
  std::string users() const {
    if (fold_.users() > 100) return {};
    auto const names = fold_.names();
    return plain_.users(names.size(), fold_.tells_presence() ? &names : nullptr);
  }

  plain_dialect plain_;
  roster fold_;
  std::vector<place> places_;
  std::map<member_id, std::uint64_t> joins_;
  std::map<member_id, std::vector<std::uint64_t>> failed_;
};

/// Keeps a record of what another log yields.
class recorded_log final : public event_log {
 public:
  recorded_log(std::unique_ptr<event_log> of, log_record& record) : log_(std::move(of)), record_(record) {}

  void append(draft wanted) override { log_->append(std::move(wanted)); }
  awaitable<log_batch> next() override {
    auto yielded = co_await log_->next();
    record_.add(yielded);
    co_return yielded;
  }
  void close() override { log_->close(); }

 private:
  std::unique_ptr<event_log> log_;
  log_record& record_;
};

}  // namespace chorus::test
