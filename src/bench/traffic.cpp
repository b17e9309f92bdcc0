#include "bench/traffic.hpp"

#include "bench/check_failed.hpp"

namespace chorus::bench {

tally& tally::operator+=(tally const& others) {
  delivered += others.delivered;
  missed += others.missed;
  times += others.times;
  return *this;
}

std::vector<ledger> ledgers_of(seating const& who_is_where) {
  std::vector<ledger> found;
  found.reserve(who_is_where.rooms);
  for (std::size_t sender = 0; sender != who_is_where.senders(); sender += who_is_where.senders_each)
    found.emplace_back(static_cast<std::uint32_t>(sender), who_is_where.senders_each);
  return found;
}

traffic::traffic(seating const& who_is_where, send_times& sent, bool json_dialect)
    : seating_(who_is_where),
      json_dialect_(json_dialect),
      rooms_(ledgers_of(seating_)),
      sent_(sent),
      said_(seating_.senders()) {}

void traffic::begin(std::uint64_t deliveries) {
  expected_ = deliveries;
  counted_ = {};
}

std::string traffic::say(std::size_t sender, std::size_t size, clock::time_point at) {
  message_id const id{static_cast<std::uint32_t>(sender), said_[sender]++};
  sent_.record(id, at);
  auto text = make_text(id, size);
  return json_dialect_ ? say_command(text) : text;
}

std::optional<message_id> traffic::unheard() const {
  for (std::uint32_t sender = 0; sender != said_.size(); ++sender) {
    // Each sender's messages are heard in the order in which they were sent.
    auto const next = rooms_[seating_.room_of_sender(sender)].next_of(sender);
    if (next.number < said_[sender]) return next;
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
  auto const sent_at = sent_.at(id);
  if (sent_at == send_times::never)
    throw check_failed("got " + to_string(id) + ", which was not sent: is another run using the same room?");
  auto const& room = rooms_[seating_.room_of_sender(id.sender)];
  auto const known = room.size();
  advance(who, [&] { who.progress.heard(id, seq); });
  if (room.size() != known) settle_those_ahead();
  if (!who.counted) return;
  ++counted_.delivered;
  counted_.times.record(now - sent_at);
}

/// Lets a receiver make progress, and counts what it turns out to have missed.
template <class Step>
void traffic::advance(receiver& who, Step step) {
  auto const before = who.progress.missed();
  step();
  if (who.counted) counted_.missed += who.progress.missed() - before;
}

void traffic::agree_with(std::vector<ledger>& common) {
  for (std::size_t i = 0; i != rooms_.size(); ++i) rooms_[i].agree_with(common[i]);
  settle_those_ahead();
}

void traffic::settle_those_ahead() {
  std::erase_if(ahead_, [this](receiver* who) {
    advance(*who, [who] { who->progress.settle(); });
    return !who->progress.is_ahead();
  });
}

}  // namespace chorus::bench
