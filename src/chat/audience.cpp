#include "chat/audience.hpp"

#include <utility>

#include "support/slices.hpp"

namespace chorus {

namespace {

/// Copying so much into the kernel takes as long as the rest of a send.
constexpr std::size_t bytes_like_a_send = 8 * 1024;

}  // namespace

void audience::add(member_id who, recipient& member) { attendees_.insert({who, {&member}}); }

void audience::remove(member_id who) noexcept {
  auto const found = attendees_.find(who);
  if (found == attendees_.end() || found->second.here == nullptr) return;
  auto& member = found->second;
  if (member.place != not_listening) {
    auto& all = speakers_of(member.here->speaks());
    // A fan-out counts on everyone's staying where they are.
    all[member.place] = {};
    if (fanning_out_) {
      has_gaps_ = true;
    } else {
      close_gap(all, member.place);
    }
  }
  member.here = nullptr;
  if (member.returned == member.appended) forget(found);
}

recipient* audience::find(member_id who) const {
  auto const found = attendees_.find(who);
  return found == attendees_.end() ? nullptr : found->second.here;
}

void audience::greet(member_id who, newcomer const& as) {
  auto const found = attendees_.find(who);
  if (found == attendees_.end() || found->second.here == nullptr) return;
  auto& member = found->second;
  for (auto const& packet : as.packets) member.here->out().push(packet);
  auto& all = speakers_of(member.here->speaks());
  member.place = all.size();
  all.push_back({&member.here->out(), &member});
  member.here->greeted(as.name, as.users);
}

void audience::tell(member_id who, packet_ptr const& what) {
  if (auto* const member = find(who)) member->out().push(what);
}

awaitable<void> audience::fan_out(encoded_batch& what) {
  std::size_t done = 0;
  fanning_out_ = true;
  for (std::size_t dialect = 0; dialect != dialect_count; ++dialect) {
    auto& all = listeners_[dialect];
    if (all.empty()) continue;
    auto const packet = what.in(static_cast<dialect_id>(dialect));
    if (!packet) continue;
    auto const work = 1 + packet->bytes.size() / bytes_like_a_send;
    for (std::size_t i = 0; i != all.size(); ++i) {
      if (auto* const out = all[i].out) out->push(packet);
      if (ends_slice(done, work)) co_await let_others_run(executor_);
    }
  }
  fanning_out_ = false;
  if (!std::exchange(has_gaps_, false)) co_return;
  for (auto& all : listeners_) close_gaps(all);
}

void audience::appended(member_id who, std::uint64_t count, std::size_t size) {
  attendees_.find(who)->second.appended = count;
  ++appended_;
  bytes_on_their_way_ += size;
}

void audience::came_back(draft const& wanted) {
  auto const found = attendees_.find(wanted.from);
  if (found == attendees_.end() || wanted.count <= found->second.returned) return;
  auto& member = found->second;
  member.returned = wanted.count;
  ++returned_;
  bytes_on_their_way_ -= size_of(wanted);
  if (member.here == nullptr && member.returned == member.appended) forget(found);
}

void audience::forget(std::unordered_map<member_id, attendee>::iterator gone) noexcept {
  attendees_.erase(gone);
  // What grew with many members goes with the last.
  if (attendees_.empty()) attendees_ = {};
}

/// The last one moves up.
void audience::close_gap(listeners& in, std::size_t place) {
  auto const last = in.back();
  in.pop_back();
  if (place == in.size()) return;
  in[place] = last;
  last.whose->place = place;
}

void audience::close_gaps(listeners& in) {
  // From the end: then the last one is never a gap itself.
  for (auto i = in.size(); i-- != 0;)
    if (in[i].out == nullptr) close_gap(in, i);
}

}  // namespace chorus
