#include "chat/unique_names.hpp"

#include <algorithm>
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
  auto const base = as_numbered(name_key(numbered_name(wanted, 2)))->base;
  auto const found = numbered_.find(base);
  for (auto number = found == numbered_.end() ? 2 : found->second.first_free;; ++number) {
    auto name = numbered_name(wanted, number);
    if (!try_take(name_key(name))) continue;
    numbered_[base].first_free = number + 1;
    return name;
  }
}

bool unique_names::try_take(std::string key) {
  auto const inserted = taken_.insert(std::move(key));
  if (!inserted.second) return false;
  if (auto const part = as_numbered(*inserted.first)) ++numbered_[part->base].taken;
  return true;
}

void unique_names::give_back(std::string_view name) {
  auto const key = name_key(name);
  taken_.erase(key);
  auto const part = as_numbered(key);
  if (!part) return;
  auto const found = numbered_.find(part->base);
  auto& all = found->second;
  all.first_free = std::min(all.first_free, part->number);
  if (--all.taken == 0) numbered_.erase(found);
}

}  // namespace chorus
