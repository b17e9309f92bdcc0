#include "chat/roster.hpp"

#include <range/v3/action/sort.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/map.hpp>
#include <range/v3/view/transform.hpp>
#include <utility>

namespace chorus {

event roster::fold(log_entry next) {
  seq_ = next.seq;
  event result{.seq = next.seq, .at = next.what.at};
  auto const found = members_.find(next.what.from);
  if (found == members_.end()) {
    if (next.what.wants == draft::kind::join) join(result, next.what);
  } else if (next.what.count > found->second.count) {
    found->second.count = next.what.count;
    apply(result, found->second, next.what);
  }
  return result;
}

void roster::join(event& to, draft& wanted) {
  auto name = wanted.text.empty() ? "user" + std::to_string(nameless_++) : std::move(wanted.text);
  auto const& joined = members_.emplace(wanted.from, member{names_.take(std::move(name)), wanted.count}).first->second;
  to.what = event::kind::joined;
  to.name = joined.name;
  announce(to);
}

void roster::apply(event& to, member& by, draft& wanted) {
  switch (wanted.wants) {
    case draft::kind::join: break;
    case draft::kind::say:
      to.what = event::kind::message;
      to.announced = true;
      to.users = users();
      to.name = by.name;
      to.text = std::move(wanted.text);
      to.id = std::move(wanted.id);
      break;
    case draft::kind::rename:
      to.what = event::kind::renamed;
      names_.give_back(by.name);
      to.text = names_.take(std::move(wanted.text));
      to.name = std::exchange(by.name, to.text);
      announce(to);
      break;
    case draft::kind::leave:
      to.what = event::kind::left;
      to.name = std::move(by.name);
      leave(to, wanted.from);
      break;
  }
}

void roster::leave(event& to, member_id who) {
  names_.give_back(to.name);
  members_.erase(who);
  announce(to);
  // What grew with many members goes with the last.
  if (!members_.empty()) return;
  members_ = {};
  names_ = {};
}

void roster::announce(event& presence) {
  presence.users = users();
  auto const was_quiet = quiet_;
  if (users() > announce_limit_) quiet_ = true;
  if (8 * users() < 7 * announce_limit_) quiet_ = false;
  presence.announced = !quiet_;
  presence.turns_presence = quiet_ != was_quiet;
}

std::vector<std::string> roster::names() const {
  auto all = members_ | ranges::views::values | ranges::views::transform(&member::name) | ranges::to<std::vector>;
  return std::move(all) | ranges::actions::sort;
}

}  // namespace chorus
