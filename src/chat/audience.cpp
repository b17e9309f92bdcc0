#include "chat/audience.hpp"

#include <range/v3/algorithm/find.hpp>

#include "support/slices.hpp"

namespace chorus {

namespace {

/// Copying so much into the kernel takes as long as the rest of a send.
constexpr std::size_t bytes_like_a_send = 8 * 1024;

}  // namespace

audience::place::place(audience& in, dialect const& speaks, outbound_channel& out)
    : group_(in.group_of(speaks)), index_(group_.members.size()) {
  group_.members.push_back({&out, this});
  ++in.size_;
}

audience::place::~place() {
  --group_.in->size_;
  // A fan-out counts on everyone's staying where they are.
  group_.members[index_] = {};
  if (!group_.in->fanning_out_) close_gap(group_, index_);
}

awaitable<void> audience::fan_out(batch const& events) {
  std::size_t done = 0;
  fanning_out_ = true;
  for (auto& g : groups_) g.listening = g.members.size();
  for (auto& g : groups_) {
    if (g.listening == 0) continue;
    auto const packet = make_packet(g.speaks->encode(events), {events.front().seq, events.back().seq});
    auto const work = 1 + packet->bytes.size() / bytes_like_a_send;
    for (std::size_t i = 0; i != g.listening; ++i) {
      if (auto* const out = g.members[i].out) out->push(packet);
      if (ends_slice(done, work)) co_await let_others_run(executor_);
    }
  }
  fanning_out_ = false;
  for (auto& g : groups_) close_gaps(g);
}

audience::group& audience::group_of(dialect const& speaks) {
  auto const found = ranges::find(groups_, &speaks, &group::speaks);
  return found == groups_.end() ? groups_.emplace_back(group{this, &speaks}) : *found;
}

/// The last member moves up.
void audience::close_gap(group& in, std::size_t index) {
  auto const last = in.members.back();
  in.members.pop_back();
  if (index == in.members.size()) return;
  in.members[index] = last;
  last.whose->index_ = index;
}

void audience::close_gaps(group& in) {
  // From the end: then the last member is never a gap itself.
  for (auto i = in.members.size(); i-- != 0;)
    if (in.members[i].out == nullptr) close_gap(in, i);
}

}  // namespace chorus
