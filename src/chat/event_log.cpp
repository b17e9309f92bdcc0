#include "chat/event_log.hpp"

#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

namespace chorus {

namespace {

std::size_t size_of(event const& e) { return e.from.size() + e.text.size(); }

}  // namespace

std::uint64_t event_log::append(std::string from, std::string text) {
  if (closed_) return 0;
  pending_.push_back({++last_seq_, std::move(from), std::move(text)});
  pending_bytes_ += size_of(pending_.back());
  if (pending_.size() == 1) appended_.set();
  return last_seq_;
}

awaitable<batch> event_log::next() {
  while (pending_.empty() && !closed_) co_await appended_.wait();
  co_await settle();
  co_return take();
}

void event_log::close() {
  closed_ = true;
  appended_.set();
}

awaitable<void> event_log::settle() {
  auto seen = pending_.size();
  for (int turn = 0, quiet = 0; turn != max_turns && quiet != quiet_turns; ++turn) {
    if (closed_ || pending_bytes_ >= max_batch_bytes) co_return;
    co_await net::post(executor_, use_awaitable);
    quiet = pending_.size() == seen ? quiet + 1 : 0;
    seen = pending_.size();
  }
}

batch event_log::take() {
  std::size_t bytes = 0;
  auto end = pending_.begin();
  while (end != pending_.end() && (bytes == 0 || bytes + size_of(*end) <= max_batch_bytes)) bytes += size_of(*end++);
  batch taken(std::make_move_iterator(pending_.begin()), std::make_move_iterator(end));
  pending_.erase(pending_.begin(), end);
  pending_bytes_ -= bytes;
  return taken;
}

}  // namespace chorus
