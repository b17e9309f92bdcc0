#include "bench/ledger.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "bench/check_failed.hpp"

namespace chorus::bench {

std::optional<std::size_t> ledger::position_of(message_id id) const {
  if (!has(id.sender) || id.number >= heard_of(id.sender)) return std::nullopt;
  return positions_[index_of(id.sender)][id.number];
}

void ledger::append(message_id id, std::uint64_t seq) {
  positions_[index_of(id.sender)].push_back(order_.size());
  order_.push_back({id, seq});
}

void ledger::agree_with(ledger& common) {
  auto const both = std::min(size(), common.size());
  for (; agreed_ < both; ++agreed_) check_same(order_[agreed_], common.order_[agreed_]);
  for (; agreed_ < common.size(); ++agreed_) append(common.at(agreed_), common.seq_at(agreed_));
  for (; agreed_ < size(); ++agreed_) common.append(at(agreed_), seq_at(agreed_));
}

void ledger::check_same(entry const& here, entry const& there) {
  if (here.id != there.id)
    throw check_failed(fmt::format("some receivers got {} where others got {}, out of order, or others were lost",
                                   to_string(here.id), to_string(there.id)));
  if (here.seq != there.seq)
    throw check_failed(
        fmt::format("some receivers got {} with seq {}, others with seq {}", to_string(here.id), here.seq, there.seq));
}

void witness::heard(message_id id, std::uint64_t seq) {
  if (!ledger_.has(id.sender)) throw check_failed(fmt::format("got {}, which was said in another room", to_string(id)));
  unsettled_.push_back({std::exchange(skipping_, 0), std::exchange(gap_end_, 0), id, seq});
  settle();
}

void witness::skipped(std::uint64_t count) {
  skipping_ += count;
  missed_ += count;
}

void witness::skipped_through(std::uint64_t seq) {
  gap_end_ = seq + 1;
  settle();
}

void witness::settle() {
  while (!unsettled_.empty()) {
    auto& next = unsettled_.front();
    if (!position_) {
      position_ = ledger_.position_of(next.id);
      if (!position_ && next.id == ledger_.opening()) position_ = 0;
      if (!position_) return;
    } else {
      *position_ += std::exchange(next.skipped, 0);
      pass(next.gap_end);
      if (is_ahead_with(next.gap_end)) return;
    }
    if (*position_ > ledger_.size()) return;
    check(next);
    unsettled_.pop_front();
  }
  if (position_) pass(gap_end_);
}

void witness::pass(std::uint64_t gap_end) {
  for (; *position_ < ledger_.size() && ledger_.seq_at(*position_) < gap_end; ++*position_) ++missed_;
}

void witness::check(hearing const& next) {
  auto const id = next.id;
  auto const is_first_to_hear = *position_ == ledger_.size();
  auto const due = is_first_to_hear ? ledger_.next_of(id.sender) : ledger_.at(*position_);
  if (id != due) {
    auto const real = ledger_.position_of(id);
    auto const what = !real || *real > *position_ ? "out of order, or others were lost" : "for a second time";
    throw check_failed(fmt::format("got {}, {}; due was {}", to_string(id), what, to_string(due)));
  }
  if (is_first_to_hear) ledger_.append(id, next.seq);
  if (auto const seq = ledger_.seq_at(*position_); seq != next.seq)
    throw check_failed(fmt::format("got {} with seq {}, others with seq {}", to_string(id), next.seq, seq));
  ++*position_;
}

bool witness::complete() const { return unsettled_.empty() && position_ && *position_ + skipping_ == ledger_.size(); }

std::string witness::due() const {
  if (!position_) return "any message at all";
  auto const next = *position_ + skipping_;
  return next < ledger_.size() ? to_string(ledger_.at(next)) : "a message that nobody has got yet";
}

}  // namespace chorus::bench
