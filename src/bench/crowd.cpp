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

crowd::crowd(executor ex, std::vector<target> rooms, std::size_t senders)
    : executor_(ex),
      rooms_(std::move(rooms)),
      seating_{rooms_.size(), senders},
      talk_(seating_, rooms_.front().json_dialect),
      changed_(ex),
      tasks_(ex, [this](std::exception_ptr error) { fail(error); }),
      senders_(seating_.senders()) {}

awaitable<void> crowd::gather(std::size_t count, std::size_t at_once, clock::time_point deadline) {
  to_open_ = count;
  for (std::size_t i = std::min(at_once, count); i != 0; --i) tasks_.spawn(open_several());
  condition const all_open = [this] { return to_open_ + opening_ == 0; };
  auto const in_time = co_await wait_for(all_open, deadline);
  if (!in_time)
    throw check_failed(fmt::format("{} of {} connections were not open in time", to_open_ + opening_, count));
}

awaitable<void> crowd::open_several() {
  while (to_open_ != 0 && failure_.empty() && !dispersing_) {
    --to_open_;
    auto& newcomer = participants_.emplace_back(*this, participants_.size());
    co_await open(newcomer);
    tasks_.spawn(listen(newcomer));
  }
}

participant& crowd::add() {
  auto& newcomer = participants_.emplace_back(*this, participants_.size());
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

void crowd::appoint_senders() {
  for (std::size_t s = 0; s != senders_.size(); ++s) {
    senders_[s] = &participants_[seating_.seat_of(s, participants_.size())];
    senders_[s]->sender = s;
  }
}

std::vector<std::size_t> crowd::begin(std::size_t messages) {
  std::vector<std::uint64_t> listeners(seating_.rooms);
  for (auto const& m : participants_)
    if (m.counted) ++listeners[seating_.room_of_participant(m.index())];
  auto const shares = seating_.shares(messages);
  std::uint64_t deliveries = 0;
  for (std::size_t s = 0; s != shares.size(); ++s) deliveries += shares[s] * listeners[seating_.room_of_sender(s)];
  talk_.begin(deliveries);
  return shares;
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

awaitable<void> crowd::complete_by(clock::time_point deadline) {
  condition const complete = [this] { return talk_.complete(); };
  auto const in_time = co_await wait_for(complete, deadline);
  auto const behind = who_is_behind();
  if (!in_time) throw check_failed("not everything came in time; " + behind);
  if (!behind.empty()) throw check_failed("messages are missing; " + behind);
}

std::string crowd::who_is_behind() {
  std::string named;
  std::size_t behind = 0;
  for (auto& m : participants_) {
    naming(m, [&m] { m.progress.settle(); });
    if (!m.counted || m.progress.complete()) continue;
    constexpr std::size_t most_named = 3;
    if (++behind <= most_named)
      named += fmt::format("{}receiver {} has not got {}", behind == 1 ? "" : ", ", m.index(), m.progress.due());
  }
  auto const unheard = talk_.unheard();
  if (behind == 0 && unheard) return "nobody has got " + to_string(*unheard);
  if (behind <= 1) return named;
  return fmt::format("{} receivers are behind: {}", behind, named);
}

void crowd::throw_if_failed() const {
  if (!failure_.empty()) throw check_failed(failure_);
}

void crowd::fail(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (std::exception const& e) {
    if (failure_.empty()) failure_ = e.what();
  }
  changed_.set();
}

awaitable<void> crowd::disperse() {
  dispersing_ = true;
  tasks_.cancel();
  for (auto& m : participants_) m.line().close();
  co_await tasks_.join();
}

}  // namespace chorus::bench
