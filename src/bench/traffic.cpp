#include "bench/traffic.hpp"

#include "bench/check_failed.hpp"

namespace chorus::bench {

traffic::traffic(seating const& who_is_where, bool json_dialect)
    : seating_(who_is_where), json_dialect_(json_dialect), sent_at_(seating_.senders()) {
  rooms_.reserve(seating_.rooms);
  for (std::size_t sender = 0; sender != seating_.senders(); sender += seating_.senders_each)
    rooms_.emplace_back(static_cast<std::uint32_t>(sender), seating_.senders_each);
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
  auto text = make_text(id, size);
  return json_dialect_ ? say_command(text) : text;
}

std::optional<message_id> traffic::unheard() const {
  for (std::uint32_t sender = 0; sender != sent_at_.size(); ++sender) {
    // Each sender's messages are heard in the order in which they were sent.
    auto const next = rooms_[seating_.room_of_sender(sender)].next_of(sender);
    if (next.number != sent_at_[sender].size()) return next;
  }
  return std::nullopt;
}

std::optional<message_id> traffic::heard(receiver& who, std::string_view text, clock::time_point now) {
  if (json_dialect_) return heard_json(who, text, now);
  auto const id = find_stamp(text);
  if (id) {
    deliver(who, *id, 0, now);
  } else if (auto const missed = find_gap(text)) {
    advance(who, [&] { who.progress.skipped(*missed); });
  }
  return id;
}

std::optional<message_id> traffic::heard_json(receiver& who, std::string_view text, clock::time_point now) {
  auto const event = parse_json_event(text);
  who.events.heard(event);
  if (auto const* const said = std::get_if<message>(&event)) {
    if (said->id) deliver(who, *said->id, said->seq, now);
    return said->id;
  }
  if (auto const* const missing = std::get_if<gap>(&event)) {
    advance(who, [&] { who.progress.skipped_through(missing->to); });
    if (who.progress.is_ahead()) ahead_.push_back(&who);
  }
  return std::nullopt;
}

void traffic::deliver(receiver& who, message_id id, std::uint64_t seq, clock::time_point now) {
  if (id.sender >= sent_at_.size() || id.number >= sent_at_[id.sender].size())
    throw check_failed("got " + to_string(id) + ", which was not sent: is another run using the same room?");
  auto const& room = rooms_[seating_.room_of_sender(id.sender)];
  auto const known = room.size();
  advance(who, [&] { who.progress.heard(id, seq); });
  if (room.size() != known) settle_those_ahead();
  if (!who.counted) return;
  ++delivered_;
  latencies_.record(now - sent_at_[id.sender][id.number]);
}

/// Lets a receiver make progress, and counts what it turns out to have missed.
template <class Step>
void traffic::advance(receiver& who, Step step) {
  auto const before = who.progress.missed();
  step();
  if (who.counted) missed_ += who.progress.missed() - before;
}

void traffic::settle_those_ahead() {
  std::erase_if(ahead_, [this](receiver* who) {
    advance(*who, [who] { who->progress.settle(); });
    return !who->progress.is_ahead();
  });
}

}  // namespace chorus::bench
