#include "server/survey.hpp"

#include <chrono>
#include <unordered_map>
#include <utility>

#include "support/slices.hpp"

namespace chorus {

namespace {

awaitable<shard_reading> read_shard(shard& of) {
  shard_reading now;
  auto const look = [&now](peer const& p) {
    auto const waiting = p.backlog();
    now.behind += waiting == 0 ? 0 : 1;
    now.waiting_bytes += waiting;
  };
  auto const pause = [&of] { return let_others_run(of.ex); };
  co_await visit(of.sessions, slice, look, pause);
  now.sessions = of.tally;
  now.rooms = of.rooms.tally();
  now.room_count = of.rooms.size();
  now.history_bytes = of.rooms.history_bytes();
  co_return now;
}

awaitable<std::vector<room_reading>> read_rooms_of(shard& at) { co_return at.rooms.read(); }

}  // namespace

survey::survey(std::deque<shard>& all, admission const& admitted, std::optional<tls_context>& tls)
    : shards_(all), admission_(admitted), tls_(tls), between_looks_(admitted.at.ex) {}

awaitable<server_reading> survey::read() {
  server_reading now;
  for (auto& each : shards_) {
    auto part = read_shard(each);
    auto const reading = co_await run_on(each, std::move(part));
    now.shards.push_back(reading);
  }
  now.admission = admission_.tally;
  now.http_connections = static_cast<std::size_t>(admission_.seats.connections() - admission_.seats.sessions());
  now.ready = admission_.ready;
  if (tls_) now.certificate_expiry = std::chrono::system_clock::to_time_t(expiry_of(*tls_));
  now.process = read_process_figures();
  co_return now;
}

awaitable<std::vector<room_activity>> survey::look_at_rooms() {
  std::vector<room_activity> all;
  for (shard_id home = 0; home != shards_.size(); ++home) {
    auto part = read_rooms_of(shards_[home]);
    auto rooms = co_await run_on(shards_[home], std::move(part));
    for (auto& one : rooms) all.push_back({std::move(one), home, 0});
  }
  co_return all;
}

awaitable<std::vector<room_activity>> survey::read_rooms() {
  auto const begun = clock::now();
  std::unordered_map<std::uint64_t, std::uint64_t> before;
  auto all = co_await look_at_rooms();
  for (auto const& one : all) before[one.now.epoch] = one.now.messages;
  between_looks_.expires_after(std::chrono::seconds(1));
  co_await between_looks_.async_wait(nothrow);
  std::chrono::duration<double> const time = clock::now() - begun;
  all = co_await look_at_rooms();
  for (auto& one : all)
    one.messages_per_second = static_cast<double>(one.now.messages - before[one.now.epoch]) / time.count();
  co_return all;
}

}  // namespace chorus
