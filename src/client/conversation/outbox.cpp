#include "client/conversation/outbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chorus {

using state = enum outbox::line::state;

void outbox::add(std::string text) { lines_.push_back({id_prefix_ + std::to_string(next_++), std::move(text)}); }

std::optional<outbox::line> outbox::take(std::string_view id) {
  auto const found = std::find_if(lines_.begin(), lines_.end(), [&](line const& one) { return one.id == id; });
  if (found == lines_.end()) return std::nullopt;
  auto taken = std::move(*found);
  lines_.erase(found);
  return taken;
}

void outbox::doubt() {
  for (auto& one : lines_)
    if (one.state == state::sent) one.state = state::doubtful;
}

void outbox::resend() {
  for (auto& one : lines_)
    if (one.state == state::sent) one.state = state::waiting;
}

std::vector<outbox::line> outbox::take_waiting() {
  std::vector<line> taken;
  for (auto& one : lines_) {
    if (one.state != state::waiting) continue;
    one.state = state::sent;
    taken.push_back(one);
  }
  return taken;
}

std::vector<outbox::line> outbox::take_doubtful() {
  std::vector<line> taken;
  std::vector<line> kept;
  for (auto& one : lines_) (one.state == state::doubtful ? taken : kept).push_back(std::move(one));
  lines_.assign(std::make_move_iterator(kept.begin()), std::make_move_iterator(kept.end()));
  return taken;
}

std::size_t outbox::count(enum line::state in) const {
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(), [in](line const& one) { return one.state == in; }));
}

}  // namespace chorus
