#include "chat/unique_names.hpp"

#include <optional>

#include "protocol/cursor.hpp"
#include "protocol/name.hpp"

namespace chorus {

namespace {

struct numbered {
  std::string base;
  std::size_t number;
};

/// `bob-2` is one, `bob-1` and `bob-02` are names of their own.
std::optional<numbered> as_numbered(std::string_view key) {
  auto const dash = key.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  auto const digits = key.substr(dash + 1);
  auto const number = parse_integer(digits);
  if (!number || *number < 2 || digits.front() == '0') return std::nullopt;
  return numbered{std::string(key.substr(0, dash)), *number};
}

}  // namespace

std::string unique_names::take(std::string wanted) {
  if (try_take(name_key(wanted))) return wanted;
  auto& all = numbered_[as_numbered(name_key(numbered_name(wanted, 2)))->base];
  if (!all.free.empty()) {
    auto name = numbered_name(wanted, *all.free.begin());
    try_take(name_key(name));
    return name;
  }
  // Who has asked for such a name itself may have one of the next.
  for (;;) {
    auto name = numbered_name(wanted, all.next++);
    if (try_take(name_key(name))) return name;
  }
}

bool unique_names::try_take(std::string key) {
  auto const inserted = taken_.insert(std::move(key));
  if (!inserted.second) return false;
  if (auto const part = as_numbered(*inserted.first)) {
    auto& all = numbered_[part->base];
    all.free.erase(part->number);
    ++all.taken;
  }
  return true;
}

void unique_names::give_back(std::string_view name) {
  auto const key = name_key(name);
  taken_.erase(key);
  auto const part = as_numbered(key);
  if (!part) return;
  auto const found = numbered_.find(part->base);
  auto& all = found->second;
  if (part->number < all.next) all.free.insert(part->number);
  if (--all.taken == 0) numbered_.erase(found);
}

}  // namespace chorus
