#include "chat/shard_rooms.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "support/unix_time.hpp"

namespace chorus {

shard_rooms::shard_rooms(executor ex, member_id which, room_settings const& options, dialect_table dialects,
                         log_factory make_log, task_group::error_handler failed)
    : make_log_(std::move(make_log)),
      commons_{
          ex,   options, dialects, unix_milliseconds, history_memory(options.history_memory, [this] { relieve_(); }),
          which},
      tasks_(ex, std::move(failed)) {}

void shard_rooms::know(std::span<shard_rooms* const> all, std::function<void()> relieve) {
  all_.assign(all.begin(), all.end());
  relieve_ = std::move(relieve);
  auto const together = commons_.options.history_memory;
  commons_.memory.limit_to(together == 0 ? 0 : std::max<std::size_t>(together / all.size(), 1));
}

void shard_rooms::create(room_identity which) {
  auto log = make_log_(commons_.ex, which.name);
  auto const epoch = which.epoch;
  room::runner& runner = *this;
  courier& to_others = *this;
  rooms_[epoch] = std::make_unique<room>(commons_, std::move(which), std::move(log), runner, to_others);
}

void shard_rooms::when_settled(std::uint64_t epoch, std::function<void(bool is_new)> settled) {
  auto const& asked = *rooms_.at(epoch);
  if (!asked.runs()) return settled(asked.is_new());
  settling_[epoch] = std::move(settled);
}

awaitable<void> shard_rooms::run(room& of) {
  co_await of.run();
  auto const waiting = settling_.extract(of.identity().epoch);
  // It may end the room.
  if (!waiting.empty()) waiting.mapped()(of.is_new());
}

audience& shard_rooms::audience_of(room_address const& where) {
  if (where.home == shard()) return rooms_.at(where.which.epoch)->here();
  auto& found = branches_[where.which.epoch];
  if (!found) {
    branch::runner& runner = *this;
    courier& to_home = *this;
    found = std::make_unique<branch>(commons_, where.which, where.home, runner, to_home);
  }
  return found->here();
}

awaitable<void> shard_rooms::run(branch& of, awaitable<void> (branch::*task)()) {
  co_await (of.*task)();
  if (of.may_go()) branches_.erase(of.identity().epoch);
}

void shard_rooms::submit(shard_id home, std::uint64_t epoch, submission what) {
  auto& there = *all_[home];
  net::post(there.get_executor(), [&there, from = shard(), epoch, what = std::move(what)]() mutable {
    there.submitted(from, epoch, std::move(what));
  });
}

void shard_rooms::submitted(shard_id from, std::uint64_t epoch, submission what) {
  auto const found = rooms_.find(epoch);
  if (found != rooms_.end()) found->second->submitted(from, std::move(what));
}

void shard_rooms::deliver(shard_id to, std::uint64_t epoch, delivery what) {
  auto& there = *all_[to];
  net::post(there.get_executor(),
            [&there, epoch, what = std::move(what)]() mutable { there.delivered(epoch, std::move(what)); });
}

void shard_rooms::delivered(std::uint64_t epoch, delivery what) {
  // A branch goes when the last leave has come back, and all that is for it comes before that.
  auto const found = branches_.find(epoch);
  if (found != branches_.end()) found->second->delivered(std::move(what));
}

std::vector<room_reading> shard_rooms::read() const {
  std::vector<room_reading> all;
  all.reserve(rooms_.size());
  for (auto const& [epoch, of] : rooms_) all.push_back(of->read());
  return all;
}

void shard_rooms::flush() {
  for (auto& [epoch, of] : branches_) of->flush();
}

awaitable<void> shard_rooms::caught_up() {
  std::vector<room*> behind;
  for (auto& [epoch, of] : rooms_)
    if (!of->has_caught_up()) behind.push_back(of.get());
  for (auto* const of : behind) co_await of->caught_up();
}

void shard_rooms::close_branches() {
  for (auto& [epoch, of] : branches_) of->close();
}

void shard_rooms::close_rooms() {
  for (auto& [epoch, of] : rooms_) of->close();
}

}  // namespace chorus
