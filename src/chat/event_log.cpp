#include "chat/event_log.hpp"

#include <utility>

#include "support/slices.hpp"

namespace chorus {

namespace {

std::size_t size_of(event const& e) { return e.from.size() + e.text.size(); }

}  // namespace

std::uint64_t event_log::append(std::string from, std::string text) {
  if (closed_) return 0;
  event next{last_seq_ + 1, std::move(from), std::move(text)};
  auto const size = size_of(next);
  if (pending_.empty() || last_batch_bytes_ + size > max_batch_bytes) {
    batch begun;
    begun.push_back(std::move(next));
    pending_.push_back(std::move(begun));
    last_batch_bytes_ = size;
  } else {
    pending_.back().push_back(std::move(next));
    last_batch_bytes_ += size;
  }
  if (last_seq_++ == taken_seq_) appended_.set();
  return last_seq_;
}

awaitable<void> event_log::wait_while_full() {
  while (full()) co_await advanced_.wait();
}

awaitable<batch> event_log::next() {
  done_seq_ = taken_seq_;
  // Who waits for a place goes on in a later turn, after `take`: a full log has nothing to wait for.
  advanced_.notify_all();
  while (pending_.empty() && !closed_) co_await appended_.wait();
  co_await settle();
  co_return take();
}

awaitable<void> event_log::caught_up() {
  auto const wanted = last_seq_;
  while (done_seq_ < wanted && !closed_) co_await advanced_.wait();
}

void event_log::close() {
  closed_ = true;
  appended_.set();
  advanced_.notify_all();
}

awaitable<void> event_log::settle() {
  auto seen = last_seq_;
  for (int turn = 0, quiet = 0; turn != max_turns && quiet != quiet_turns; ++turn) {
    if (closed_ || pending_.size() > 1 || last_batch_bytes_ >= max_batch_bytes) co_return;
    co_await let_others_run(executor_);
    quiet = last_seq_ == seen ? quiet + 1 : 0;
    seen = last_seq_;
  }
}

batch event_log::take() {
  if (pending_.empty()) return {};
  auto taken = std::move(pending_.front());
  pending_.pop_front();
  taken_seq_ = taken.back().seq;
  return taken;
}

}  // namespace chorus
