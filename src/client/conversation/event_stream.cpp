#include "client/conversation/event_stream.hpp"

#include <algorithm>
#include <utility>

#include "protocol/cursor.hpp"

namespace chorus {

namespace {

/// The last `seq` that it speaks of; nothing if it has no place of its own.
std::optional<std::uint64_t> last_of(v1::server_event const& one) {
  return std::visit(
      [](auto const& event) -> std::optional<std::uint64_t> {
        if constexpr (requires { event.seq; })
          return event.seq;
        else if constexpr (requires { event.to; })
          return event.to;
        else
          return std::nullopt;
      },
      one);
}

std::size_t size_of(v1::server_event const& one) {
  auto const* message = std::get_if<v1::message>(&one);
  return sizeof one + (message != nullptr ? message->text.size() : 0);
}

}  // namespace

void event_stream::begin(std::uint64_t epoch, std::uint64_t seq) {
  epoch_ = epoch;
  position_ = seq;
}

void event_stream::interrupt() {
  hole_.reset();
  request_ = false;
  held_.clear();
  held_bytes_ = 0;
}

void event_stream::push(v1::server_event came) {
  if (!hole_) return take(std::move(came));
  if (belongs_into_hole(came)) return fill(std::move(came));
  held_bytes_ += size_of(came);
  held_.push_back(std::move(came));
  if (held_bytes_ > most_held) give_up();
}

void event_stream::give_up() {
  if (!hole_) return;
  ready_.push_back(v1::gap{position_ + 1, *hole_});
  position_ = *hole_;
  close_hole();
}

std::optional<v1::server_event> event_stream::pop() {
  std::optional<v1::server_event> next;
  if (!ready_.empty()) {
    next = std::move(ready_.front());
    ready_.pop_front();
  }
  return next;
}

std::optional<v1::gap> event_stream::take_request() {
  if (!std::exchange(request_, false)) return std::nullopt;
  asked_after_ = position_;
  return v1::gap{position_ + 1, *hole_};
}

std::string event_stream::cursor() const {
  return epoch_ == 0 ? std::string() : to_string(chorus::cursor{epoch_, position_});
}

/// What is live has a greater `seq` than all before; answers to a replay have not.
bool event_stream::belongs_into_hole(v1::server_event const& came) const {
  auto const last = last_of(came);
  return last && *last <= *hole_;
}

/// With no hole open.
void event_stream::take(v1::server_event came) {
  auto const last = last_of(came);
  if (last && *last <= position_) return;  // it was told: the answer to a replay that was given up
  if (std::holds_alternative<v1::replayed>(came)) return;
  if (auto const* gap = std::get_if<v1::gap>(&came)) {
    position_ = std::max(position_, gap->from - 1);
    hole_ = gap->to;
    request_ = true;
    return;
  }
  if (last) position_ = *last;
  ready_.push_back(std::move(came));
}

void event_stream::fill(v1::server_event came) {
  auto const last = *last_of(came);
  if (std::holds_alternative<v1::replayed>(came)) {
    if (last <= asked_after_) return;  // it ends a replay that was given up
    position_ = std::max(position_, last);
    if (position_ == *hole_) return close_hole();
    request_ = true;
  } else if (last > position_) {
    position_ = last;
    ready_.push_back(std::move(came));
  }
}

void event_stream::close_hole() {
  hole_.reset();
  request_ = false;
  held_bytes_ = 0;
  for (auto waiting = std::exchange(held_, {}); !waiting.empty(); waiting.pop_front()) push(std::move(waiting.front()));
}

}  // namespace chorus
