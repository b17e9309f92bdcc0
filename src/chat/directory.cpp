#include "chat/directory.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <string>

#include "support/unix_time.hpp"

namespace chorus {

using namespace std::chrono_literals;

namespace {

constexpr shard_id accepting = 0;

}  // namespace

directory::directory(room_settings const& options, std::span<shard_rooms* const> shards)
    : options_(options), shards_(shards.begin(), shards.end()), seats_on_(shards.size()), empty_(shards.size()) {
  for (auto* const each : shards_)
    each->know(shards_, [this, at = each->shard()] {
      net::post(shards_[accepting]->get_executor(), [this, at] { relieve(at); });
    });
}

template <class Action>
void directory::on(shard_id at, Action act) {
  auto& there = *shards_[at];
  if (at == accepting) return act(there);
  net::post(there.get_executor(), [&there, act = std::move(act)]() mutable { act(there); });
}

shard_id directory::emptiest() const {
  return static_cast<shard_id>(std::ranges::min_element(seats_on_) - seats_on_.begin());
}

std::optional<directory::seat> directory::take_seat(std::string_view name) {
  auto const found = rooms_.find(name);
  auto* const taken = found == rooms_.end() ? create(name) : found->second.get();
  if (taken == nullptr) return std::nullopt;
  auto const is_large = taken->seats >= options_.large_room;
  ++taken->seats;
  if (taken->is_linked()) taken->unlink();
  return place(is_large ? emptiest() : taken->where.home, taken);
}

std::optional<directory::seat> directory::take_seat() { return place(emptiest(), nullptr); }

directory::seat directory::place(shard_id at, entry* in) {
  ++seats_on_[at];
  return seat(*this, at, in);
}

void directory::give_back(shard_id at, entry* in) {
  --seats_on_[at];
  if (in != nullptr && --in->seats == 0) ask_if_settled(*in);
}

directory::entry* directory::create(std::string_view name) {
  if (options_.max_rooms != 0 && rooms_.size() >= options_.max_rooms) {
    auto* const longest = with_longest_empty();
    if (longest == nullptr || stopping_) return nullptr;
    end(longest->front());
  }
  // Rooms of one name never have the same epoch: a cursor of one means nothing in the other.
  last_epoch_ = std::max(last_epoch_ + 1, static_cast<std::uint64_t>(unix_milliseconds()));
  room_identity const which{std::string(name), last_epoch_};
  auto const home = emptiest();
  on(home, [which](shard_rooms& there) { there.create(which); });
  auto added = std::make_unique<entry>(room_address{which, home});
  std::string_view const key = added->where.which.name;
  return (rooms_[key] = std::move(added)).get();
}

/// What its last member has wanted may still be on its way.
void directory::ask_if_settled(entry& of) {
  // Until there is an answer the entry stays.
  auto const answer = [this, &of, asked = ++of.asked](bool is_new) { settled(of, asked, is_new); };
  on(of.where.home, [this, answer, epoch = of.where.which.epoch](shard_rooms& there) {
    there.when_settled(epoch, [this, answer, is_here = there.shard() == accepting](bool is_new) {
      if (is_here) return answer(is_new);
      net::post(shards_[accepting]->get_executor(), [answer, is_new] { answer(is_new); });
    });
  });
}

void directory::settled(entry& of, std::uint64_t asked, bool is_new) {
  if (of.seats != 0 || asked != of.asked) return;
  of.empty_since = clock::now();
  empty_[of.where.home].push_back(of);
  // Nobody ever came in, or nothing is to be kept.
  if (is_new || options_.history_ttl == 0ms) end(of);
}

directory::entry_list* directory::with_longest_empty() {
  entry_list* found = nullptr;
  for (auto& each : empty_)
    if (!each.empty() && (found == nullptr || each.front().empty_since < found->front().empty_since)) found = &each;
  return found;
}

void directory::relieve(shard_id at) {
  auto const has_one = !empty_[at].empty() && !stopping_;
  if (has_one) end(empty_[at].front());
  on(at, [has_one](shard_rooms& there) { there.relieved(has_one); });
}

void directory::end(entry& gone) {
  if (stopping_) return;
  on(gone.where.home, [epoch = gone.where.which.epoch](shard_rooms& there) { there.end(epoch); });
  // The key is the entry's own.
  auto const node = rooms_.extract(gone.where.which.name);
}

awaitable<void> directory::sweep() {
  clock::duration const ttl = options_.history_ttl;
  timer rest(shards_[accepting]->get_executor());
  for (;;) {
    rest.expires_after(std::clamp<clock::duration>(ttl / 8, 10ms, 10s));
    co_await rest.async_wait(use_awaitable);
    auto const now = clock::now();
    for (auto& each : empty_)
      while (!each.empty() && now - each.front().empty_since >= ttl && !stopping_) end(each.front());
  }
}

}  // namespace chorus
