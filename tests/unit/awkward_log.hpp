#pragma once
// A log that keeps what event_log.hpp promises, and makes nothing easy beyond that.

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "chat/event_log.hpp"
#include "support/auto_reset_event.hpp"
#include "support/slices.hpp"

namespace chorus::test {

/// It is late by any number of turns; its batches hold one entry, or any number, or all; only the drafts of one member
/// keep their order; some drafts fail; and if it stutters, some come twice.
class awkward_log final : public event_log {
 public:
  awkward_log(executor ex, unsigned seed, bool stutters)
      : executor_(ex), appended_(ex), random_(seed), stutters_(stutters) {}

  void append(draft wanted) override {
    if (closed_) return;
    pending_[wanted.from].push_back({std::move(wanted)});
    appended_.set();
  }

  awaitable<log_batch> next() override {
    while (pending_.empty() && !closed_) co_await appended_.wait();
    auto const late = random_() % 3 == 0 ? random_() % 20 : 0;
    for (unsigned turn = 0; turn != late; ++turn) co_await let_others_run(executor_);
    co_return take();
  }

  void close() override {
    closed_ = true;
    appended_.set();
  }

 private:
  struct pending {
    draft what;
    bool has_come = false;  ///< it is an entry already
  };

  log_batch take() {
    log_batch taken;
    std::set<member_id> have_entries;
    for (auto left = any_size(); left != 0 && !pending_.empty(); --left) {
      auto const whose = std::next(pending_.begin(),
                                   static_cast<std::ptrdiff_t>(random_() % std::min<std::size_t>(pending_.size(), 8)));
      auto& [who, theirs] = *whose;
      // What has failed comes before the entries of the same batch.
      if (!theirs.front().has_come && !have_entries.contains(who) && random_() % 10 == 0) {
        taken.failed.push_back(std::move(theirs.front().what));
        theirs.pop_front();
      } else {
        have_entries.insert(who);
        taken.entries.push_back({++last_seq_, theirs.front().what});
        auto const again = stutters_ && !theirs.front().has_come && random_() % 10 == 0;
        theirs.front().has_come = true;
        if (!again) theirs.pop_front();
      }
      if (theirs.empty()) pending_.erase(whose);
    }
    return taken;
  }

  std::size_t any_size() {
    switch (random_() % 3) {
      case 0: return 1;
      case 1: return 1 + random_() % 10;
      default: return static_cast<std::size_t>(-1);
    }
  }

  executor executor_;
  auto_reset_event appended_;
  std::mt19937 random_;
  bool stutters_;
  std::map<member_id, std::deque<pending>> pending_;
  std::uint64_t last_seq_ = 0;
  bool closed_ = false;
};

}  // namespace chorus::test
