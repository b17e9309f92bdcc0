#include "chat/history.hpp"

#include <range/v3/algorithm/none_of.hpp>
#include <range/v3/algorithm/reverse.hpp>
#include <range/v3/view/reverse.hpp>
#include <utility>

namespace chorus {

void history_memory::add(past_batch& newest) {
  oldest_first_.push_back(newest);
  used_ += newest.size;
}

void history_memory::resize(past_batch& grown) {
  auto const size = grown.what.size();
  grown.room.size_ += size - grown.size;
  used_ += size - grown.size;
  grown.size = size;
}

void history_memory::keep_to_limit() {
  if (limit_ == 0 || used_ <= limit_ || std::exchange(is_asked_, true)) return;
  relieve_();
}

void history_memory::relieved(bool was_given) {
  is_asked_ = false;
  if (was_given) return keep_to_limit();
  while (used_ > limit_ && !oldest_first_.empty()) oldest_first_.front().room.drop_oldest();
}

history::~history() {
  while (!batches_.empty()) drop_oldest();
}

void history::extend(encoded_batch&& newest) {
  if (ranges::none_of(newest.events(), is_told)) return;
  auto& added = batches_.emplace_back(std::move(newest), *this);
  added.size = added.what.size();
  size_ += added.size;
  messages_ += added.what.messages();
  all_.add(added);
  while (!batches_.empty() &&
         (size_ > options_.history_bytes || messages_ - batches_.front().what.messages() >= options_.history_messages))
    drop_oldest();
  all_.keep_to_limit();
}

void history::drop_oldest() {
  auto const& oldest = batches_.front();
  last_gone_ = oldest.what.last();
  all_.subtract(oldest);
  size_ -= oldest.size;
  messages_ -= oldest.what.messages();
  batches_.pop_front();
}

std::optional<std::uint64_t> history::before_last(std::uint64_t messages) const {
  std::optional<std::uint64_t> found;
  for (auto const& past : batches_ | ranges::views::reverse) {
    for (auto const& e : past.what.events() | ranges::views::reverse) {
      if (messages == 0) return found;
      if (!is_message(e)) continue;
      found = e.seq - 1;
      --messages;
    }
  }
  return found;
}

history::tail history::after(std::uint64_t seq, dialect_id dialect, std::size_t limit) {
  tail result;
  for (auto& past : batches_ | ranges::views::reverse) {
    auto& what = past.what;
    if (what.last() <= seq) break;
    auto const packet = what.first() > seq ? what.in(dialect) : what.from(seq + 1, dialect);
    all_.resize(past);
    if (!packet) continue;
    if (packet->bytes.size() > limit) {
      result.too_much.last = result.too_much.last == 0 ? packet->events.last : result.too_much.last;
      result.too_much.first = packet->events.first;
      result.too_much.messages += packet->events.messages;
      // From here on everything is too much.
      limit = 0;
    } else {
      limit -= packet->bytes.size();
      result.packets.push_back(packet);
    }
  }
  ranges::reverse(result.packets);
  return result;
}

history::excerpt history::between(std::uint64_t from, std::uint64_t to, dialect const& in, std::size_t limit) const {
  excerpt result{.last = from - 1};
  for (auto const& past : batches_) {
    if (past.what.last() < from) continue;
    for (auto const& e : past.what.events()) {
      if (e.seq < from || !is_told(e)) continue;
      if (e.seq > to) break;
      if (result.frames.size() >= limit) return result;
      result.frames += in.encode({&e, 1});
      result.last = e.seq;
      ++result.events;
    }
  }
  result.last = to;
  return result;
}

}  // namespace chorus
