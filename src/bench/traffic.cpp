#include "bench/traffic.hpp"

#include "bench/check_failed.hpp"

namespace chorus::bench {

traffic::traffic(std::size_t senders, std::size_t rooms) : senders_(senders), sent_at_(senders * rooms) {
  rooms_.reserve(rooms);
  for (std::size_t room = 0; room != rooms; ++room)
    rooms_.emplace_back(static_cast<std::uint32_t>(room * senders), senders);
}

void traffic::begin(std::uint64_t deliveries) {
  latencies_ = {};
  expected_ = deliveries;
  delivered_ = missed_ = 0;
}

std::string traffic::say(std::size_t sender, std::size_t size, clock::time_point at) {
  auto& sent_at = sent_at_[sender];
  message_id const id{static_cast<std::uint32_t>(sender), static_cast<std::uint32_t>(sent_at.size())};
  sent_at.push_back(at);
  return make_text(id, size);
}

std::optional<message_id> traffic::unheard() const {
  for (std::uint32_t sender = 0; sender != sent_at_.size(); ++sender) {
    // Each sender's messages are heard in the order in which they were sent.
    auto const next = rooms_[room_of(sender)].next_of(sender);
    if (next.number != sent_at_[sender].size()) return next;
  }
  return std::nullopt;
}

std::optional<message_id> traffic::heard(receiver& who, std::string_view text, clock::time_point now) {
  auto const id = find_stamp(text);
  if (id) {
    if (id->sender >= sent_at_.size() || id->number >= sent_at_[id->sender].size())
      throw check_failed("got " + to_string(*id) + ", which was not sent: is another run using the same room?");
    who.progress.heard(*id);
    if (!who.counted) return id;
    ++delivered_;
    latencies_.record(now - sent_at_[id->sender][id->number]);
  } else if (auto const gap = find_gap(text)) {
    who.progress.skipped(*gap);
    who.missed += *gap;
    if (who.counted) missed_ += *gap;
  }
  return id;
}

}  // namespace chorus::bench
