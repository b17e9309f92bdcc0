#include "bench/ledger.hpp"

#include <fmt/format.h>
#include <utility>

#include "bench/check_failed.hpp"

namespace chorus::bench {

std::optional<std::size_t> ledger::position_of(message_id id) const {
  if (!has(id.sender) || id.number >= heard_of(id.sender)) return std::nullopt;
  return positions_[index_of(id.sender)][id.number];
}

void ledger::append(message_id id) {
  positions_[index_of(id.sender)].push_back(order_.size());
  order_.push_back(id);
}

void witness::heard(message_id id) {
  if (!ledger_.has(id.sender)) throw check_failed(fmt::format("got {}, which was said in another room", to_string(id)));
  unsettled_.push_back({std::exchange(skipping_, 0), id});
  settle();
}

void witness::skipped(std::uint64_t missed) { skipping_ += missed; }

void witness::settle() {
  while (!unsettled_.empty()) {
    auto& next = unsettled_.front();
    if (!position_) {
      position_ = ledger_.position_of(next.id);
      if (!position_ && next.id == ledger_.opening()) position_ = 0;
      if (!position_) return;
    } else {
      *position_ += std::exchange(next.skipped, 0);
    }
    if (*position_ > ledger_.size()) return;
    check(next.id);
    unsettled_.pop_front();
  }
}

void witness::check(message_id id) {
  auto const is_first_to_hear = *position_ == ledger_.size();
  auto const due = is_first_to_hear ? ledger_.next_of(id.sender) : ledger_.at(*position_);
  if (id != due) {
    auto const real = ledger_.position_of(id);
    auto const what = !real || *real > *position_ ? "out of order, or others were lost" : "for a second time";
    throw check_failed(fmt::format("got {}, {}; due was {}", to_string(id), what, to_string(due)));
  }
  if (is_first_to_hear) ledger_.append(id);
  ++*position_;
}

bool witness::complete() const { return unsettled_.empty() && position_ && *position_ + skipping_ == ledger_.size(); }

std::string witness::due() const {
  if (!position_) return "any message at all";
  auto const next = *position_ + skipping_;
  return next < ledger_.size() ? to_string(ledger_.at(next)) : "a message that nobody has got yet";
}

}  // namespace chorus::bench
