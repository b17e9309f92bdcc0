#include "chat/directory.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "support/unix_time.hpp"

namespace chorus {

using namespace std::chrono_literals;

directory::directory(executor ex, room_settings const& options, dialect_table dialects, log_factory make_log,
                     task_group::error_handler failed)
    : make_log_(std::move(make_log)),
      commons_{ex,
               options,
               dialects,
               unix_milliseconds,
               history_memory(options.history_memory, [this] { return end_longest_empty(); }),
               {std::random_device()(), 0, 0}},
      broadcasters_(ex, std::move(failed)) {}

std::optional<directory::seat> directory::take_seat(std::string_view name) {
  auto const found = rooms_.find(name);
  auto* const taken = found == rooms_.end() ? create(name) : &found->second;
  if (taken == nullptr) return std::nullopt;
  ++taken->seats;
  if (taken->is_linked()) taken->unlink();
  return seat(*this, *taken);
}

directory::entry* directory::create(std::string_view name) {
  auto const limit = commons_.options.max_rooms;
  if (limit != 0 && rooms_.size() >= limit && !end_longest_empty()) return nullptr;
  // Rooms of one name never have the same epoch: a cursor of one means nothing in the other.
  last_epoch_ = std::max(last_epoch_ + 1, static_cast<std::uint64_t>(commons_.now()));
  auto created = std::make_unique<room>(commons_, room_identity{std::string(name), last_epoch_},
                                        make_log_(std::string(name)), static_cast<room::runner&>(*this));
  std::string_view const key = created->identity().name;
  auto& added = rooms_[key];
  added.here = std::move(created);
  return &added;
}

void directory::start(room& of) { broadcasters_.spawn(run(of)); }

awaitable<void> directory::run(room& of) {
  co_await of.run();
  note_if_empty(rooms_.find(of.identity().name)->second);
}

void directory::give_back(entry& place) {
  --place.seats;
  note_if_empty(place);
}

void directory::note_if_empty(entry& of) {
  if (of.seats != 0 || of.here->runs()) return;
  of.empty_since = clock::now();
  empty_.push_back(of);
  // Nobody ever came in, or nothing is to be kept.
  if (of.here->is_new() || commons_.options.history_ttl == 0ms) end(of);
}

bool directory::end_longest_empty() {
  if (empty_.empty() || ending_) return false;
  end(empty_.front());
  return true;
}

void directory::end(entry& gone) {
  if (ending_) return;
  // The key is the room's own.
  auto const node = rooms_.extract(gone.here->identity().name);
}

awaitable<void> directory::sweep() {
  clock::duration const ttl = commons_.options.history_ttl;
  timer rest(commons_.ex);
  for (;;) {
    rest.expires_after(std::clamp<clock::duration>(ttl / 8, 10ms, 10s));
    co_await rest.async_wait(use_awaitable);
    auto const now = clock::now();
    while (!empty_.empty() && now - empty_.front().empty_since >= ttl && !ending_) end(empty_.front());
  }
}

awaitable<void> directory::caught_up() {
  ending_ = true;
  std::vector<room*> behind;
  for (auto& [name, place] : rooms_)
    if (!place.here->has_caught_up()) behind.push_back(place.here.get());
  for (auto* const room : behind) co_await room->caught_up();
}

void directory::close() {
  ending_ = true;
  for (auto& [name, place] : rooms_) place.here->close();
}

}  // namespace chorus
