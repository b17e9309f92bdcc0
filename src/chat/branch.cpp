#include "chat/branch.hpp"

#include <utility>

#include "support/quiescence.hpp"
#include "support/slices.hpp"

namespace chorus {

branch::branch(room_commons& shared, room_identity of, shard_id home, runner& by, courier& to_home)
    : shared_(shared),
      identity_(std::move(of)),
      home_(home),
      runner_(by),
      courier_(to_home),
      audience_(shared, identity_, *this) {}

void branch::append(draft wanted) {
  speaks_ = speaks_ || wanted.wants == draft::kind::say;
  leaves_ = leaves_ || wanted.wants == draft::kind::leave;
  gathered_.drafts.push_back(std::move(wanted));
}

void branch::start() {
  if (leaves_) return flush();
  if (std::exchange(gathering_, true)) return;
  try {
    runner_.start(*this, &branch::gather);
  } catch (...) {
    gathering_ = false;
    throw;
  }
}

void branch::ask(question asked) {
  gathered_.questions.push_back(std::move(asked));
  start();
}

awaitable<void> branch::gather() {
  auto const size = [this] { return gathered_.drafts.size() + gathered_.questions.size(); };
  auto const turns = [this] { return speaks_ ? quiescence::turns_of_speech : quiescence::turns_of_presence; };
  for (quiescence calm(size()); calm.is_awaited(turns()); calm.see(size())) co_await let_others_run(shared_.ex);
  gathering_ = false;
  flush();
}

void branch::flush() {
  if (gathered_.empty()) return;
  speaks_ = leaves_ = false;
  courier_.submit(home_, identity_.epoch, std::exchange(gathered_, {}));
}

void branch::delivered(delivery what) {
  deliveries_.push_back(std::move(what));
  if (!std::exchange(dealing_, true)) runner_.start(*this, &branch::deal_with_deliveries);
}

awaitable<void> branch::deal_with_deliveries() {
  while (!deliveries_.empty()) {
    auto next = std::move(deliveries_.front());
    deliveries_.pop_front();
    try {
      co_await audience_.take(std::move(next));
    } catch (...) {
      dealing_ = false;
      acknowledge();
      throw;
    }
    acknowledge();
  }
  dealing_ = false;
}

void branch::acknowledge() {
  ++gathered_.taken;
  flush();
}

void branch::close() {
  flush();
  audience_.close();
}

bool branch::may_go() const {
  return audience_.empty() && audience_.drafts_on_their_way() == 0 && !gathering_ && !dealing_ && gathered_.empty();
}

}  // namespace chorus
