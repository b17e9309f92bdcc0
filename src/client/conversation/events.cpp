// What comes in chorus.v1, and what becomes of the conversation by it.

#include <boost/algorithm/string/join.hpp>
#include <fmt/format.h>
#include <utility>

#include "client/conversation/commands.hpp"
#include "client/conversation/conversation.hpp"

namespace chorus {

namespace {

constexpr std::string_view replay_id = "replay";

std::string count(std::uint64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

std::string here(std::uint64_t users) { return count(users, "user") + " here"; }

std::string count_of(v1::gap const& range) { return count(range.to - range.from + 1, "event"); }

}  // namespace

void conversation::receive_event(v1::server_event event) {
  if (auto const* welcome = std::get_if<v1::welcome>(&event)) return apply(*welcome);
  auto const is_gap = std::holds_alternative<v1::gap>(event);
  if (auto const* error = std::get_if<v1::error>(&event))
    apply(*error);
  else
    stream_.push(std::move(event));
  if (auto const request = stream_.take_request()) {
    if (is_gap) notice(count_of(*request) + " skipped; asking for them");
    now_.send.push_back(v1::replay(request->from, request->to, replay_id));
  }
  while (auto const next = stream_.pop()) std::visit([this](auto const& one) { apply(one); }, *next);
}

void conversation::apply(v1::welcome const& event) {
  auto const is_first = stream_.epoch() == 0;
  auto const is_same_room = stream_.epoch() == event.epoch;
  stream_.begin(event.epoch, event.seq);
  identity_.welcomed(event.name);
  if (!is_same_room) identity_.forget_ghost();
  phase_ = phase::catching_up;
  now_.send.push_back(v1::ask_users());
  if (!is_same_room || outbox_.count(outbox::line::state::sent) == 0) settle();
  auto greeting = fmt::format("connected to {} as {}, {}", event.room, event.name, here(event.users));
  if (is_first) return now_.show.push_back({shown_line::kind::text, {}, "You are " + greeting});
  if (!is_same_room) greeting += "; the room has begun anew: what it said meanwhile is lost";
  notice("again " + greeting);
}

void conversation::apply(v1::message const& event) {
  auto const is_own = outbox_.take(event.id) || event.from == identity_.name();
  using kind = shown_line::kind;
  now_.show.push_back({is_own ? kind::own_message : kind::message, event.from, event.text});
}

void conversation::apply(v1::joined const& event) {
  if (event.name != identity_.name()) notice(fmt::format("{} joined, {}", event.name, here(event.users)));
}

void conversation::apply(v1::left const& event) {
  identity_.heard(event, is_present());
  notice(fmt::format("{} left, {}", event.name, here(event.users)));
  take_name_back();
  if (is_present() && !is_settled_ && !identity_.has_ghost()) settle();
}

void conversation::apply(v1::renamed const& event) {
  identity_.heard(event, is_present());
  notice(fmt::format("{} is {} now", event.name, event.to));
  take_name_back();
}

void conversation::apply(v1::gap const& lost) {
  notice(count_of(lost) + " lost");
  outbox_.doubt();
}

void conversation::apply(v1::presence const& event) {
  if (is_present()) {
    auto const names = event.names ? ": " + boost::algorithm::join(*event.names, ", ") : std::string();
    notice(here(event.users) + names);
  }
  // What happened before our joining came before the answer.
  phase_ = phase::present;
  if (event.names) identity_.present(*event.names);
  take_name_back();
  if (!is_settled_) settle_if_certain(event.names.has_value());
}

void conversation::apply(v1::error const& event) {
  if (event.id == replay_id) stream_.give_up();
  auto const refused = outbox_.take(event.id);
  notice(refused ? fmt::format("{}; not sent: {}", event.detail, refused->text) : event.detail);
}

void conversation::settle_if_certain(bool presence_is_told) {
  auto const unknown = outbox_.count(outbox::line::state::sent);
  if (unknown == 0 || !identity_.has_ghost()) return settle();
  auto const lines = count(unknown, "line") + " without an echo: ";
  if (presence_is_told) return notice(lines + "waiting for the old connection to leave");
  notice(lines + "sent again, maybe to be heard twice");
  settle();
}

void conversation::take_name_back() {
  if (!is_present()) return;
  if (auto const name = identity_.take_back()) now_.send.push_back(v1::rename(*name));
}

void conversation::settle() {
  is_settled_ = true;
  for (auto const& line : outbox_.take_doubtful()) notice("maybe lost, and not sent again: " + line.text);
  outbox_.resend();
  send_waiting();
}

}  // namespace chorus
