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
  if (found == attendees_.end()) return;
  auto const gone = found->second;
  attendees_.erase(found);
  // What grew with many members goes with the last.
  if (attendees_.empty()) attendees_ = {};
  if (gone.place == not_listening) return;
  auto const dialect = gone.who->speaks();
  auto& all = speakers_of(dialect);
  // A fan-out counts on everyone's staying where they are.
  all[gone.place] = {};
  if (fanning_out_) {
    has_gaps_ = true;
  } else {
    close_gap(all, gone.place);
  }
  link_.lost(dialect);
}

recipient* audience::find(member_id who) const {
  auto const found = attendees_.find(who);
  return found == attendees_.end() ? nullptr : found->second.who;
}

void audience::append(draft wanted) {
  if (closed_) return;
  auto const size = size_of(wanted);
  // First: if there is no memory for it, nobody is to wait for it.
  link_.append(std::move(wanted));
  ++drafts_on_their_way_;
  bytes_on_their_way_ += size;
  link_.start();
}

awaitable<void> audience::take(delivery what) {
  std::size_t done = 0;
  drafts_on_their_way_ -= what.drafts;
  bytes_on_their_way_ -= what.bytes;
  for (auto const& wanted : what.refused)
    if (auto* const member = find(wanted.from)) member->not_taken(wanted);
  for (auto const& [who, name] : what.renamed)
    if (auto* const member = find(who)) member->renamed(name);
  for (auto const& newcomer : what.newcomers) {
    greet(newcomer);
    if (ends_slice(done)) co_await let_others_run(shared_.ex);
  }
  auto const begun = clock::now();
  std::uint64_t messages = 0;
  fanning_out_ = true;
  for (auto const dialect : all_dialects) {
    auto const& packet = what.batch[index_of(dialect)];
    if (!packet) continue;
    messages = packet->events.messages;
    auto const& all = speakers_of(dialect);
    auto const work = 1 + packet->bytes.size() / bytes_like_a_send;
    for (std::size_t i = 0; i != all.size(); ++i) {
      if (auto* const out = all[i].out) {
        out->push(packet);
        shared_.tally.deliveries += messages;
      }
      if (ends_slice(done, work)) co_await let_others_run(shared_.ex);
    }
  }
  fanning_out_ = false;
  if (std::exchange(has_gaps_, false))
    for (auto& all : listeners_) close_gaps(all);
  if (messages != 0) {
    shared_.tally.batch_messages.observe(messages);
    shared_.tally.fan_out.observe(clock::now() - begun);
  }
  for (auto const& note : what.notes) take(note);
  if (what.ends) close();
  if (!waiting_.empty() && !is_behind()) unburden();
}

void audience::take(delivery::note const& what) noexcept {
  auto* const member = find(what.who);
  if (member == nullptr) return;
  if (auto const& packet = what.what[index_of(member->speaks())]) member->out().push(packet);
  if (what.answers) member->answered(*what.answers);
  if (what.failed) member->failed(what.failed);
}

void audience::greet(delivery::newcomer const& one) {
  auto const found = attendees_.find(one.who);
  if (found == attendees_.end()) return link_.lost(one.speaks);
  auto& member = found->second;
  for (auto const& packet : one.told) member.who->out().push(packet);
  auto& all = speakers_of(one.speaks);
  all.push_back({&member.who->out(), &member});
  member.place = all.size() - 1;
  member.who->greeted(one.name, one.users);
}

void audience::close() noexcept {
  closed_ = true;
  unburden();
}

void audience::unburden() noexcept {
  for (auto const who : std::exchange(waiting_, {}))
    if (auto* const member = find(who)) member->unburdened();
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
