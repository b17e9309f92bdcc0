#include "support/outbound_channel.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

namespace chorus {

void outbound_channel::push(packet_ptr const& p) noexcept { take(p, state::open); }

void outbound_channel::seal(packet_ptr const& last) noexcept { take(last, state::sealed); }

void outbound_channel::take(packet_ptr const& p, state then) noexcept {
  if (state_ != state::open) return;
  try {
    if (then == state::sealed) announce_gap();
    send_or_queue(p);
    state_ = then;
  } catch (...) {
    sink_.failed(std::current_exception());
  }
}

outbound_channel::gather_list outbound_channel::gather() {
  gather_list buffers;
  in_flight_ = std::min(queue_.size(), max_gather);
  for (std::size_t i = 0; i != in_flight_; ++i) buffers.push_back(net::buffer(queue_[i].packet->bytes));
  buffers.front() += front_offset_;
  return buffers;
}

void outbound_channel::consume(std::size_t bytes) {
  in_flight_ = 0;
  sent_bytes_ += bytes;
  front_offset_ += bytes;
  while (!queue_.empty() && front_offset_ >= queue_.front().packet->bytes.size()) {
    front_offset_ -= queue_.front().packet->bytes.size();
    pop_front();
  }
  if (state_ == state::closed) drop_all_but_in_flight();
  if (queue_.empty()) announce_gap();
}

void outbound_channel::close(packet_ptr const& last_words) {
  if (state_ == state::closed) return;
  auto const was_told = state_ == state::sealed && queue_.empty();
  // A write that is pending may have sent a part that we do not know of yet.
  auto const at_frame_boundary = front_offset_ == 0 && in_flight_ == 0;
  if (last_words && !was_told && at_frame_boundary) sink_.try_write(net::buffer(last_words->bytes));
  state_ = state::closed;
  missed_ = {};
  drop_all_but_in_flight();
}

void outbound_channel::send_or_queue(packet_ptr const& p) {
  if (queue_.empty()) {
    auto const taken = sink_.try_write(net::buffer(p->bytes));
    sent_bytes_ += taken;
    if (taken == p->bytes.size()) return;
    // First: if the packet cannot be queued, a frame is cut.
    front_offset_ = taken;
    enqueue(p);
    sink_.start_writing();
  } else if (p->events.empty() || (missed_.empty() && waiting_bytes_ + p->bytes.size() <= limit_)) {
    enqueue(p);
  } else {
    miss(p->events);
  }
}

void outbound_channel::enqueue(packet_ptr const& p) {
  queue_.push_back({p});
  waiting_bytes_ += p->bytes.size();
}

void outbound_channel::pop_front() {
  waiting_bytes_ -= queue_.front().packet->bytes.size();
  if (queue_.front().flush) flushed_.try_send(error_code{});
  queue_.pop_front();
}

/// A pending write refers to the packets that it was given.
void outbound_channel::drop_all_but_in_flight() {
  for (auto& waiting : queue_)
    if (std::exchange(waiting.flush, false)) flushed_.try_send(net::error::operation_aborted);
  while (queue_.size() > in_flight_) queue_.pop_back();
}

void outbound_channel::miss(event_range events) {
  if (missed_.empty()) {
    missed_.first = events.first;
    // The first packet stays even if no byte of it is sent: the gap ends when the queue runs empty, and it must not do
    // so here.
    auto const begun = queue_.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(in_flight_, 1));
    for (auto it = begun; it != queue_.end(); ++it) {
      if (it->packet->events.empty()) continue;
      missed_.first = std::min(missed_.first, it->packet->events.first);
      missed_.messages += it->packet->events.messages;
      waiting_bytes_ -= it->packet->bytes.size();
    }
    queue_.erase(std::remove_if(begun, queue_.end(), [](entry const& e) { return !e.packet->events.empty(); }),
                 queue_.end());
  }
  missed_.last = events.last;
  missed_.messages += events.messages;
}

void outbound_channel::announce_gap() {
  if (missed_.empty()) return;
  // Never written at once: there is a write loop that is not done, since a gap begins and ends behind a backlog.
  enqueue(sink_.gap_notice(std::exchange(missed_, {})));
}

}  // namespace chorus
