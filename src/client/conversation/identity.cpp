#include "client/conversation/identity.hpp"

#include <algorithm>
#include <utility>

#include "protocol/name.hpp"

namespace chorus {

void identity::welcomed(std::string name) {
  name_ = std::move(name);
  if (wanted().empty()) wanted_ = name_;
  wanted_is_free_ = false;
  taking_back_ = false;
}

void identity::heard(v1::left const& event, bool present) {
  if (ghost_ == event.name) ghost_.reset();
  if (present && event.name == wanted_) wanted_is_free_ = true;
}

void identity::heard(v1::renamed const& event, bool present) {
  if (ghost_ == event.name) ghost_ = event.to;
  if (!present) return;
  if (event.name == name_) {
    name_ = event.to;
    if (!std::exchange(taking_back_, false)) wanted_ = name_;
  } else if (event.name == wanted_) {
    wanted_is_free_ = true;
  }
}

std::string identity::wanted() const { return is_given_name(wanted_) ? std::string() : wanted_; }

std::optional<std::string> identity::take_back() {
  if (taking_back_ || name_ == wanted_ || wanted().empty() || !std::exchange(wanted_is_free_, false))
    return std::nullopt;
  taking_back_ = true;
  return wanted_;
}

void identity::present(std::vector<std::string> const& names) {
  auto const is_there = [&](std::string const& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (ghost_ && !is_there(*ghost_)) ghost_.reset();
  wanted_is_free_ = !is_there(wanted_);
}

}  // namespace chorus
