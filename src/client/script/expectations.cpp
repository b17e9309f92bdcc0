// What users expect: the steps that wait for what the server does.

#include <numeric>

#include "client/script/assignment.hpp"
#include "client/script/explain.hpp"
#include "client/script/player.hpp"

namespace chorus::script {

namespace {

constexpr auto glance = std::chrono::milliseconds(50);

using expected_list = std::vector<std::pair<matcher, position>>;

/// The matchers that fit a message.
std::vector<std::size_t> fitting(expected_list const& all, message const& came, variables const& known) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (match(all[i].first, came, known)) found.push_back(i);
  return found;
}

/// The matchers that no message has met, a line each.
std::string describe_missing(expected_list const& all, assignment const& met, variables const& known) {
  std::string missing;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (met.owners()[i] == assignment::nobody) missing += (missing.empty() ? "" : "\n") + describe(all[i].first, known);
  return missing;
}

std::string describe_code(unsigned code, std::optional<std::string> const& reason) {
  return "close with " + std::to_string(code) + (reason ? " " + quote(*reason) : "");
}

}  // namespace

awaitable<player::outcome> player::expect_messages(step const& now) {
  auto const who = find(now.user);
  auto const until = clock::now() + now.deadline;
  auto const& all = now.expected;
  assignment met(all.size());
  std::vector<message> messages;
  std::size_t skipped = 0;
  while (messages.size() < all.size()) {
    auto const something = co_await who->wait_for_anything(until - clock::now());
    auto const where = all.front().second;
    if (!something || who->inbox().empty()) {
      auto wrong = no_message(now, where, *who, describe_missing(all, met, variables_));
      if (skipped != 0) wrong.notes.emplace_back("skipped", std::to_string(skipped) + " other messages");
      co_return wrong;
    }
    auto came = std::move(who->inbox().front());
    who->inbox().pop_front();
    auto fits = fitting(all, came, variables_);
    if (now.what == verb::expect_eventually && fits.empty()) {
      ++skipped;
      continue;
    }
    messages.push_back(std::move(came));
    if (met.add(std::move(fits))) continue;
    // What comes next often says what went wrong.
    timer pause(executor_, glance);
    co_await pause.async_wait(nothrow);
    auto wrong = wrong_message(where, *who, describe_missing(all, met, variables_), messages.back());
    auto difference = describe_difference(all.front().first, messages.back(), variables_);
    if (all.size() == 1 && !difference.empty()) wrong.notes.emplace_back("differs", std::move(difference));
    co_return wrong;
  }
  variables captured;
  for (std::size_t i = 0; i < all.size(); ++i)
    captured.merge(*match(all[i].first, messages[met.owners()[i]], variables_));
  for (auto& [name, value] : captured) variables_[name] = std::move(value);
  co_return std::nullopt;
}

awaitable<player::outcome> player::expect_subprotocol(step const& now) {
  auto const who = find(now.user);
  auto const expected = now.to.subprotocol.expand(variables_);
  if (who->subprotocol() == expected) co_return std::nullopt;
  auto const describe = [](std::string const& name) { return name.empty() ? "no subprotocol" : quote(name); };
  diagnostic wrong{now.where, "the server did not choose " + who->name() + "'s subprotocol as expected"};
  wrong.notes.emplace_back("expected", describe(expected));
  wrong.notes.emplace_back("came", describe(who->subprotocol()));
  co_return wrong;
}

awaitable<player::outcome> player::expect_close(step const& now) {
  auto const who = find(now.user);
  std::optional<std::string> reason;
  if (now.reason) reason = now.reason->expand(variables_);
  auto expected = describe_code(now.code, reason);
  auto const something = co_await who->wait_for_anything(now.deadline);
  if (!something) co_return no_message(now, now.where, *who, std::move(expected));
  if (!who->inbox().empty()) {
    auto const came = std::move(who->inbox().front());
    who->inbox().pop_front();
    co_return wrong_message(now.where, *who, std::move(expected), came);
  }
  auto const& ending = *who->ending();
  auto const same = ending.what == incoming::kind::closed && ending.code == now.code;
  if (!same || (reason && *reason != ending.data)) {
    diagnostic wrong{now.where, who->name() + " was not closed as expected", {{"expected", std::move(expected)}}};
    wrong.notes.emplace_back("came", describe_ending(ending));
    co_return wrong;
  }
  users_.erase(who->name());
  co_return std::nullopt;
}

awaitable<player::outcome> player::expect_silence(step const& now) {
  auto const who = find(now.user);
  auto const something = co_await who->wait_for_anything(now.duration);
  if (!something) co_return std::nullopt;
  diagnostic wrong{now.user.where(), who->name() + " did not have silence"};
  wrong.notes.emplace_back("expected", "nothing for " + to_string(now.duration));
  wrong.notes.emplace_back("came", describe_waiting(*who));
  co_return wrong;
}

}  // namespace chorus::script
