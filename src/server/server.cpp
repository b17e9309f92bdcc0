#include "server/server.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "chat/memory_log.hpp"
#include "server/address.hpp"
#include "server/heartbeat.hpp"
#include "server/negotiation.hpp"
#include "server/session.hpp"
#include "support/slices.hpp"

namespace chorus {

namespace {

/// Farewells are said at most this fast, so that those who come back do not all come at once: 2,000 a second.
constexpr auto farewell_interval = std::chrono::microseconds(500);
constexpr std::size_t farewells_at_once = 16;

}  // namespace

server::server(executor ex, settings const& options, std::shared_ptr<spdlog::logger> log)
    : executor_(ex),
      log_(std::move(log)),
      options_(options),
      rooms_(
          ex, options_.rooms, dialects_, [ex](auto const&) { return std::make_unique<memory_log>(ex); },
          [this](auto why) { failed("broadcaster", why); }),
      connections_(ex, options_, *log_, rooms_, dialects_),
      listener_(ex, {options.address, options.port}, options.unsent_limit, *log_),
      stop_asked_(ex),
      abort_asked_(ex),
      pause_(ex),
      inflow_(ex),
      upkeep_(ex) {}

awaitable<void> server::run() {
  auto accepted = [this](tcp_socket socket, tcp::endpoint const& from) { accept(std::move(socket), from); };
  auto relieve = [this] { return connections_.let_one_go(); };
  inflow_.spawn(vital("listener", listener_.run(std::move(accepted), std::move(relieve))));
  upkeep_.spawn(vital("heartbeat",
                      heartbeat(executor_, connections_.waiting, connections_.sessions, heartbeat_period(options_))));
  upkeep_.spawn(vital("sweep of rooms", rooms_.sweep()));
  upkeep_.spawn(abort_when_asked());
  co_await stop_asked_.wait();
  if (!aborted_ && !failure_) {
    pause_.expires_after(options_.drain_delay);
    co_await pause_.async_wait(nothrow);
  }
  co_await drain();
}

void server::stop() {
  if (!std::exchange(connections_.ready, false)) return;
  stop_asked_.set();
}

void server::abort() {
  aborted_ = true;
  abort_asked_.set();
  pause_.cancel();
  stop();
}

void server::accept(tcp_socket socket, tcp::endpoint const& from) {
  // Who is let go has its seat until its coroutine has ended: one goes, one comes.
  if (!connections_.seats.has_room_for(from.address()) ||
      (!connections_.seats.has_room() && !connections_.let_one_go())) {
    log_->debug("no place address={}", from);
    return;
  }
  connections_.tasks.spawn(serve(std::move(socket), from));
}

awaitable<void> server::serve(tcp_socket socket, tcp::endpoint from) {
  capacity::seat seat(connections_.seats, from);
  // For the outbound channel's direct writes. Asio's own operations do not mind.
  error_code ignored;
  socket.non_blocking(true, ignored);
  auto granted = co_await negotiate(connections_, socket, from);
  if (granted) co_await open_session(connections_, std::move(socket), std::move(seat), std::move(granted));
}

/// Runs what the server cannot go on without.
awaitable<void> server::vital(std::string_view name, awaitable<void> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    if (!is_cancellation(std::current_exception())) failed(name, std::current_exception());
  }
}

void server::failed(std::string_view name, std::exception_ptr why) noexcept {
  stop();
  pause_.cancel();
  try {
    auto const what = fmt::format("the {} failed: {}", name, describe(why));
    if (!failure_) failure_ = std::make_exception_ptr(std::runtime_error(what));
    log_->critical("{}; stopping", what);
  } catch (...) {
    if (!failure_) failure_ = why;
  }
}

// The order is that of the stream: first nobody comes in, then everyone is told, then what is in goes out, then the
// peers go.
awaitable<void> server::drain() {
  log_->info("stopping, with {} sessions", connections_.seats.sessions());
  connections_.draining = true;
  listener_.close();
  upkeep_.spawn(abort_at_deadline());
  co_await say_farewell();
  rooms_.close();
  co_await inflow_.join();
  co_await rooms_.join();
  co_await connections_.tasks.join();
  upkeep_.cancel();
  co_await upkeep_.join();
}

/// Everyone first gets what was said until then; those who are not told yet talk on.
awaitable<void> server::say_farewell() {
  auto const sessions = std::max<std::ptrdiff_t>(connections_.seats.sessions(), 1);
  clock::duration const drain_timeout = options_.drain_timeout;
  auto const interval = std::min<clock::duration>(farewell_interval, drain_timeout / 2 / sessions);
  auto const tell = [this](peer& p) {
    if (!aborted_) p.close(farewells::draining);
  };
  auto const pause = [this, interval] { return pause_farewells(farewells_at_once * interval); };
  co_await rooms_.caught_up();
  co_await visit(connections_.waiting, slice, tell, pause);
  co_await visit(connections_.sessions, farewells_at_once, tell, pause);
}

awaitable<void> server::pause_farewells(clock::duration time) {
  pause_.expires_after(aborted_ ? clock::duration::zero() : time);
  co_await pause_.async_wait(nothrow);
  co_await rooms_.caught_up();
}

awaitable<void> server::abort_at_deadline() {
  timer deadline(executor_, options_.drain_timeout);
  co_await deadline.async_wait(use_awaitable);
  abort();
}

awaitable<void> server::abort_when_asked() {
  auto const abort = [](peer& p) { p.abort(farewells::stopped); };
  auto const pause = [this] { return let_others_run(executor_); };
  co_await abort_asked_.wait();
  listener_.close();
  co_await visit(connections_.waiting, slice, abort, pause);
  co_await visit(connections_.sessions, slice, abort, pause);
}

}  // namespace chorus
