#include "chat/outlets.hpp"

#include <algorithm>
#include <utility>

namespace chorus {

delivery* outlets::next_for(member_id who) {
  return who.node == shared_.last_member.node ? &of(who.shard).next : nullptr;
}

void outlets::add(delivery::newcomer one) {
  auto& to = of(one.who.shard);
  ++to.listening[index_of(one.speaks)];
  to.next.newcomers.push_back(std::move(one));
}

void outlets::tell(delivery::note one) {
  auto const at = one.who.shard;
  if (at == shared_.shard()) return here_.take(one);
  auto& to = of(at);
  to.next.notes.push_back(std::move(one));
  post(at, to, {});
}

void outlets::give_up(shard_id at) {
  auto& to = of(at);
  to.next.ends = true;
  post(at, to, {});
}

void outlets::give_up() {
  for (auto const& [shard, to] : others_) give_up(shard);
}

void outlets::lost(shard_id at, listener_count const& members) {
  for (std::size_t dialect = 0; dialect != dialect_count; ++dialect) of(at).listening[dialect] -= members[dialect];
}

bool outlets::anyone_hears(dialect_id which) const {
  auto const hears = [which](outlet const& at) { return at.listening[index_of(which)] != 0; };
  return hears(local_) || std::ranges::any_of(others_, [&](auto const& other) { return hears(other.second); });
}

awaitable<void> outlets::send(packets const& everyones) {
  // First: the others work while this shard does.
  for (auto& [shard, to] : others_) post(shard, to, everyones);
  auto own = std::exchange(local_.next, {});
  own.batch = everyones;
  return here_.take(std::move(own));
}

void outlets::post(shard_id to, outlet& from, packets const& everyones) {
  auto what = std::exchange(from.next, {});
  for (std::size_t dialect = 0; dialect != dialect_count; ++dialect)
    if (from.listening[dialect] != 0) what.batch[dialect] = everyones[dialect];
  if (what.empty()) return;
  ++from.posted;
  courier_.deliver(to, room_.epoch, std::move(what));
}

outlets::sent outlets::sent_yet() const {
  sent all;
  for (auto const& [shard, to] : others_) all.emplace_back(shard, to.posted);
  return all;
}

bool outlets::have_taken(sent const& deliveries) const {
  return std::ranges::all_of(deliveries, [this](auto const& at) { return others_.at(at.first).taken >= at.second; });
}

std::uint64_t outlets::most_underway() const {
  std::uint64_t most = 0;
  for (auto const& [shard, to] : others_) most = std::max(most, to.underway());
  return most;
}

}  // namespace chorus
