#include "chat/memory_log.hpp"

#include <utility>

#include "support/quiescence.hpp"
#include "support/slices.hpp"

namespace chorus {

void memory_log::append(draft wanted) {
  if (closed_) return;
  auto const size = wanted.text.size();
  last_say_ = wanted.wants == draft::kind::say ? last_seq_ + 1 : last_say_;
  log_entry next{last_seq_ + 1, std::move(wanted)};
  if (pending_.empty() || last_batch_bytes_ + size > max_batch_bytes) {
    std::vector<log_entry> begun;
    begun.push_back(std::move(next));
    pending_.push_back(std::move(begun));
    last_batch_bytes_ = size;
  } else {
    pending_.back().push_back(std::move(next));
    last_batch_bytes_ += size;
  }
  if (last_seq_++ == taken_seq_) appended_.set();
}

awaitable<log_batch> memory_log::next() {
  while (pending_.empty() && !closed_) co_await appended_.wait();
  for (quiescence calm(last_seq_); calm.is_awaited(turns_to_wait()) && !is_ready(); calm.see(last_seq_))
    co_await let_others_run(executor_);
  co_return take();
}

void memory_log::close() {
  closed_ = true;
  appended_.set();
}

int memory_log::turns_to_wait() const {
  return last_say_ > taken_seq_ ? quiescence::turns_of_speech : quiescence::turns_of_presence;
}

bool memory_log::is_ready() const { return closed_ || pending_.size() > 1 || last_batch_bytes_ >= max_batch_bytes; }

log_batch memory_log::take() {
  log_batch taken;
  if (pending_.empty()) return taken;
  taken.entries = std::move(pending_.front());
  pending_.pop_front();
  taken_seq_ = taken.entries.back().seq;
  return taken;
}

}  // namespace chorus
