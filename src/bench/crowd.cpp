#include "bench/crowd.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

/// Failures in `check` are this receiver's.
auto naming(participant const& who, auto check) {
  try {
    return check();
  } catch (check_failed const& e) {
    throw check_failed(fmt::format("receiver {}: {}", who.index(), e.what()));
  }
}

}  // namespace

participant::participant(crowd& in, std::size_t index)
    : receiver(in.talk_.room(in.seating_.room_of_participant(index))),
      crowd_(in),
      index_(index),
      connection_(in.executor_, in.tasks_) {}

void participant::on_text(std::string_view text, clock::time_point now) { crowd_.heard(*this, text, now); }

std::string stragglers::describe() const {
  if (count == 0 && unheard) return "nobody has got " + to_string(*unheard);
  if (count <= 1) return named;
  return fmt::format("{} receivers are behind: {}", count, named);
}

crowd::crowd(executor ex, std::vector<target> rooms, std::size_t senders, send_times& sent)
    : executor_(ex),
      rooms_(std::move(rooms)),
      seating_{rooms_.size(), senders},
      talk_(seating_, sent, rooms_.front().json_dialect),
      changed_(ex),
      tasks_(ex, [this](std::exception_ptr const& error) { fail(describe(error)); }),
      senders_(seating_.senders()) {}

awaitable<void> crowd::gather(block seats, std::size_t at_once, clock::time_point deadline) {
  next_index_ = seats.first;
  to_open_ = seats.count;
  for (std::size_t i = std::min(at_once, seats.count); i != 0; --i) tasks_.spawn(open_several());
  condition const all_open = [this] { return to_open_ + opening_ == 0; };
  auto const in_time = co_await wait_for(all_open, deadline);
  if (!in_time)
    throw check_failed(fmt::format("{} of {} connections were not open in time", to_open_ + opening_, seats.count));
}

awaitable<void> crowd::open_several() {
  while (to_open_ != 0 && failure_.empty() && !dispersing_) {
    --to_open_;
    auto& newcomer = participants_.emplace_back(*this, next_index_++);
    co_await open(newcomer);
    tasks_.spawn(listen(newcomer));
  }
}

participant& crowd::add() {
  auto& newcomer = participants_.emplace_back(*this, next_index_++);
  tasks_.spawn(open_and_listen(newcomer));
  return newcomer;
}

awaitable<void> crowd::open_and_listen(participant& newcomer) {
  co_await open(newcomer);
  co_await listen(newcomer);
}

awaitable<void> crowd::open(participant& newcomer) {
  std::optional<int> buffer;
  if (receive_buffer) buffer = receive_buffer(newcomer.index());
  auto const begun = clock::now();
  ++opening_;
  try {
    co_await newcomer.line().open(rooms_[seating_.room_of_participant(newcomer.index())], buffer);
  } catch (check_failed const& e) {
    throw check_failed(fmt::format("connection {}: {}", newcomer.index(), e.what()));
  }
  handshakes_.record(clock::now() - begun);
  newcomer.open_ = true;
  --opening_;
  changed_.set();
}

awaitable<void> crowd::listen(participant& who) {
  // Whoever was still connecting when `disperse` closed everyone, or was added after that, goes now.
  if (dispersing_) who.line().close();
  ++present_;
  co_await who.line().read_loop(who);
  --present_;
  who.gone_ = true;
  changed_.set();
  if (dispersing_ || who.may_go) co_return;
  auto const code = who.line().close_code();
  auto const ending = code == 0 ? "without a close frame" : fmt::format("with code {}", code);
  throw check_failed(fmt::format("receiver {}: the server closed the connection {}", who.index(), ending));
}

void crowd::heard(participant& who, std::string_view text, clock::time_point now) {
  auto const id = naming(who, [&] { return talk_.heard(who, text, now); });
  if (talk_.complete() || !who.counted) changed_.set();
  if (id && id->sender == who.sender && on_echo) on_echo(id->sender);
}

awaitable<void> crowd::dismiss(clock::time_point deadline) {
  for (auto& m : participants_) {
    m.may_go = true;
    m.line().close();
  }
  condition const all_gone = [this] { return present_ == 0; };
  auto const in_time = co_await wait_for(all_gone, deadline);
  if (!in_time) throw check_failed("connections cannot be closed");
  participants_.clear();
}

awaitable<void> crowd::leave(clock::time_point deadline) {
  for (auto& m : participants_) {
    m.may_go = true;
    m.line().leave();
  }
  condition const all_gone = [this] { return present_ == 0; };
  auto const in_time = co_await wait_for(all_gone, deadline);
  if (!in_time)
    throw check_failed(
        fmt::format("the server has not let {} of {} connections go in time", present_, participants_.size()));
}

void crowd::appoint_senders(std::size_t participants) {
  if (participants_.empty()) return;
  auto const first = participants_.front().index();
  for (std::size_t s = 0; s != senders_.size(); ++s) {
    auto const seat = seating_.seat_of(s, participants);
    if (seat < first || seat - first >= participants_.size()) continue;
    senders_[s] = &participants_[seat - first];
    senders_[s]->sender = s;
  }
}

void crowd::begin(std::size_t messages) {
  on_echo = nullptr;
  std::vector<std::uint64_t> listeners(seating_.rooms);
  for (auto const& m : participants_)
    if (m.counted) ++listeners[seating_.room_of_participant(m.index())];
  auto const shares = seating_.shares(messages);
  std::uint64_t deliveries = 0;
  for (std::size_t s = 0; s != shares.size(); ++s) deliveries += shares[s] * listeners[seating_.room_of_sender(s)];
  talk_.begin(deliveries);
}

void crowd::say(std::size_t sender, std::size_t size, clock::time_point at) {
  senders_[sender]->line().say(talk_.say(sender, size, at));
}

awaitable<bool> crowd::wait_for(condition const& met, clock::time_point deadline) {
  timer limit(executor_, deadline);
  limit.async_wait([this](error_code ec) {
    if (!ec) changed_.set();
  });
  for (;;) {
    throw_if_failed();
    if (met()) co_return true;
    if (clock::now() >= deadline) co_return false;
    co_await changed_.wait();
  }
}

bool crowd::agrees() {
  for (auto& m : participants_) naming(m, [&m] { m.progress.settle(); });
  return std::ranges::all_of(participants_, [](participant const& m) { return m.progress.complete(); }) &&
         !talk_.unheard();
}

void crowd::find(stragglers& all) {
  for (auto& m : participants_) {
    naming(m, [&m] { m.progress.settle(); });
    if (!m.counted || m.progress.complete()) continue;
    constexpr std::size_t most_named = 3;
    if (++all.count <= most_named)
      all.named += fmt::format("{}receiver {} has not got {}", all.count == 1 ? "" : ", ", m.index(), m.progress.due());
  }
  if (auto const unheard = talk_.unheard()) all.unheard = unheard;
}

void crowd::throw_if_failed() const {
  if (!failure_.empty()) throw check_failed(failure_);
}

void crowd::fail(std::string const& failure) {
  if (failure_.empty()) failure_ = failure;
  changed_.set();
}

awaitable<void> crowd::disperse() {
  dispersing_ = true;
  tasks_.cancel();
  for (auto& m : participants_) m.line().close();
  co_await tasks_.join();
}

}  // namespace chorus::bench
