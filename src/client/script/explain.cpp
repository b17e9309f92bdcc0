#include "client/script/explain.hpp"

#include <algorithm>

namespace chorus::script {

namespace {

constexpr std::size_t most_waiting = 5;

std::string nothing_within(std::chrono::milliseconds deadline) { return "nothing within " + to_string(deadline); }

}  // namespace

std::string to_string(std::chrono::milliseconds duration) {
  auto const count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

diagnostic wrong_message(position where, user& who, std::string expected, message const& came) {
  return {where,
          who.name() + " did not get what was expected",
          {{"expected", std::move(expected)}, {"came", quote(came)}, {"waiting", describe_waiting(who)}}};
}

diagnostic no_message(step const& now, position where, user const& who, std::string expected) {
  auto const came = who.ending() ? "nothing, " + describe_ending(*who.ending()) : nothing_within(now.deadline);
  return {where, who.name() + " did not get what was expected", {{"expected", std::move(expected)}, {"came", came}}};
}

diagnostic cannot(step const& now, user const& who, std::string const& what, error_code why) {
  diagnostic wrong{now.where, who.name() + " could not " + what};
  if (why == net::error::timed_out)
    wrong.notes.emplace_back("came", nothing_within(now.deadline));
  else if (who.ending())
    wrong.notes.emplace_back("because", describe_ending(*who.ending()));
  else
    wrong.notes.emplace_back("because", why.message());
  return wrong;
}

std::string describe_waiting(user& who) {
  auto const& inbox = who.inbox();
  auto const shown = std::min(inbox.size(), most_waiting);
  std::string all;
  for (std::size_t i = 0; i < shown; ++i) all += (all.empty() ? "" : "\n") + quote(inbox[i]);
  if (inbox.size() > shown) all += "\nand " + std::to_string(inbox.size() - shown) + " more";
  if (who.ending()) all += (all.empty() ? "" : "\n") + describe_ending(*who.ending());
  return all.empty() ? "nothing else" : all;
}

}  // namespace chorus::script
