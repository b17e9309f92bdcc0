#include "server/server.hpp"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <fmt/chrono.h>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "chat/memory_log.hpp"
#include "server/address.hpp"
#include "server/heartbeat.hpp"
#include "server/proxied.hpp"
#include "server/secured.hpp"
#include "server/session.hpp"
#include "server/usable_cpus.hpp"
#include "support/slices.hpp"

namespace chorus {

namespace {

/// Farewells are said at most this fast, so that those who come back do not all come at once: 2,000 a second.
constexpr auto farewell_interval = std::chrono::microseconds(500);
constexpr std::size_t farewells_at_once = 16;

std::vector<shard_rooms*> rooms_of(std::deque<shard>& all) {
  std::vector<shard_rooms*> found;
  found.reserve(all.size());
  for (auto& each : all) found.push_back(&each.rooms);
  return found;
}

/// A connection comes from the shard that accepts.
template <class Detached>
void adopt(shard& by, Detached socket, std::unique_ptr<upgrade> granted) {
  try {
    by.tasks.spawn(open_session(by, std::move(socket).into(by.ex), std::move(granted)));
  } catch (...) {
    by.report(std::current_exception());
  }
}

awaitable<void> abort_sessions(shard& on) {
  auto const abort = [](peer& p) { p.abort(farewells::stopped); };
  auto const pause = [&on] { return let_others_run(on.ex); };
  on.aborted = true;
  co_await visit(on.sessions, slice, abort, pause);
}

// What each shard is asked: by the watchdog, the first, and by a stop.

awaitable<void> take_a_turn(shard&) { co_return; }

awaitable<void> flush(shard& on) {
  on.rooms.flush();
  co_return;
}

awaitable<void> catch_up(shard& on) { return on.rooms.caught_up(); }

awaitable<void> close_branches(shard& on) {
  on.rooms.close_branches();
  co_return;
}

awaitable<void> close_rooms(shard& on) {
  on.rooms.close_rooms();
  co_return;
}

awaitable<void> join_rooms(shard& on) { return on.rooms.join(); }

awaitable<void> join_sessions(shard& on) { return on.tasks.join(); }

awaitable<void> end_upkeep(shard& on) {
  on.upkeep.cancel();
  co_await on.upkeep.join();
}

}  // namespace

server::server(executor ex, settings const& options, std::shared_ptr<logger> log, service_manager manager)
    : executor_(ex),
      log_(std::move(log)),
      options_(options),
      manager_(std::move(manager)),
      loops_((options.threads == 0 ? usable_cpus() : options.threads) - 1),
      shards_(make_shards()),
      admission_(shards_.front(), rooms_of(shards_)),
      survey_(shards_, admission_, tls_),
      listener_(ex, {options.address, options.port}, manager_.sockets, "http", options.unsent_limit, *log_),
      admin_(ex, options.admin, manager_.sockets, survey_, *log_),
      stop_asked_(ex),
      abort_asked_(ex),
      pause_(ex),
      inflow_(ex),
      upkeep_(ex) {
  if (options.tls_address) {
    read_certificate();
    tls_listener_.emplace(ex, *options.tls_address, manager_.sockets, "https", options.unsent_limit, *log_);
  }
  manager_.sockets.expect_all_taken();
  start_threads();
}

server::~server() {
  for (auto& loop : loops_) loop.halt();
}

std::deque<shard> server::make_shards() {
  std::deque<shard> all;
  member_id which{std::random_device()(), 0, 0};
  auto const make_log = [](executor home, auto const&) { return std::make_unique<memory_log>(home); };
  auto const add = [&](executor loop) {
    all.emplace_back(loop, which, options_, *log_, dialects_, make_log, [this](auto why) { fail("broadcaster", why); });
    ++which.shard;
  };
  add(executor_);
  for (auto& loop : loops_) add(loop.get_executor());
  return all;
}

void server::start_threads() {
  auto number = 0;
  try {
    for (auto& loop : loops_)
      loop.start(fmt::format("shard-{}", ++number), options_.slow_turn, *log_,
                 [this](auto why) { fail("event loop", why); });
  } catch (std::system_error const& e) {
    throw std::runtime_error(fmt::format("cannot start {} threads: {}", shards_.size(), e.code().message()));
  }
}

void server::read_certificate() {
  tls_ = server_tls(options_.tls);
  auto const ends = expiry_of(*tls_);
  auto const until = fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(ends)));
  log_->info("certificate_read", {{"file", options_.tls.certificate}, {"valid_until", until}});
  if (ends < std::chrono::system_clock::now()) log_->warn("certificate_expired", {{"valid_until", until}});
}

std::optional<tcp::endpoint> server::tls_endpoint() const {
  if (!tls_listener_) return std::nullopt;
  return tls_listener_->local_endpoint();
}

awaitable<void> server::run() {
  inflow_.spawn(vital("listener", take_from(listener_, security::none)));
  if (tls_listener_) inflow_.spawn(vital("TLS listener", take_from(*tls_listener_, security::tls)));
  watch(shards_.front(), admission_.waiting);
  for (auto& each : shards_) watch(each, each.sessions);
  watch(shards_.front(), admin_.peers());
  admin_.start();
  upkeep_.spawn(vital("sweep of rooms", admission_.rooms.sweep()));
  upkeep_.spawn(abort_when_asked());
  manager_.ready();
  if (auto const interval = manager_.report_interval()) upkeep_.spawn(vital("watchdog", report(*interval)));
  co_await stop_asked_.wait();
  if (!aborted_ && !failure_) {
    pause_.expires_after(options_.drain_delay);
    co_await pause_.async_wait(nothrow);
  }
  co_await drain();
}

void server::stop() {
  if (!std::exchange(admission_.ready, false)) return;
  manager_.stopping();
  stop_asked_.set();
}

void server::reload() {
  if (!admission_.ready) return;
  manager_.reloading();
  try {
    if (tls_) {
      read_certificate();
    } else {
      log_->info("reloaded", {{"message", "there is nothing to reload"}});
    }
  } catch (std::exception const& e) {
    log_->error("cannot_reload", {{"reason", e.what()}});
  }
  manager_.ready();
}

void server::abort() {
  aborted_ = true;
  abort_asked_.set();
  pause_.cancel();
  stop();
}

awaitable<void> server::take_from(listener& from, security wanted) {
  auto accepted = [this, wanted](tcp_socket socket, tcp::endpoint const& peer) {
    accept(std::move(socket), peer, wanted);
  };
  auto relieve = [this] { return admission_.let_one_go(); };
  return from.run(std::move(accepted), std::move(relieve));
}

void server::accept(tcp_socket socket, tcp::endpoint const& from, security wanted) {
  ++admission_.tally.accepted;
  // Who is let go has its seat until its coroutine has ended: one goes, one comes.
  if (!admission_.seats.has_room_for(from.address()) || (!admission_.seats.has_room() && !admission_.let_one_go())) {
    admission_.turned_away(from);
    return;
  }
  shards_.front().tasks.spawn(serve(std::move(socket), from, wanted));
}

awaitable<void> server::serve(tcp_socket socket, tcp::endpoint from, security wanted) {
  capacity::seat seat(admission_.seats, from.address());
  auto const deadline = admission_.deadline();
  // For the outbound channel's direct writes. Asio's own operations do not mind.
  error_code ignored;
  socket.non_blocking(true, ignored);
  if (contains(options_.trusted_proxies, from.address())) {
    auto const goes_on = co_await take_proxy_header(admission_, socket, from, seat, deadline);
    if (!goes_on) co_return;
  }
  if (wanted == security::none) {
    co_await serve(std::move(socket), from, seat, deadline);
    co_return;
  }
  tls_socket secured(std::move(socket));
  auto const agreed = co_await shake_hands(admission_, secured, *tls_, from, deadline);
  if (agreed) co_await serve(std::move(secured), from, seat, deadline);
}

template <transport Transport>
awaitable<void> server::serve(Transport socket, tcp::endpoint const& from, capacity::seat& seat,
                              clock::time_point deadline) {
  auto granted = co_await negotiate(admission_, socket, from, seat, deadline);
  if (!granted) co_return;
  auto& to = shards_[granted->at];
  if (&to == &shards_.front()) {
    co_await open_session(to, std::move(socket), std::move(granted));
    co_return;
  }
  net::post(to.ex, [&to, moved = detach(std::move(socket)), granted = std::move(granted)]() mutable {
    adopt(to, std::move(moved), std::move(granted));
  });
}

void server::stop_listening() {
  listener_.close();
  if (tls_listener_) tls_listener_->close();
}

void server::watch(shard& over, peer_list& peers) {
  net::dispatch(over.ex, [this, &over, &peers] {
    over.upkeep.spawn(vital("heartbeat", heartbeat(over.ex, peers, heartbeat_period(options_), over.tally.lag)));
  });
}

/// Runs what the server cannot go on without.
awaitable<void> server::vital(std::string_view name, awaitable<void> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    if (!is_cancellation(std::current_exception())) fail(name, std::current_exception());
  }
}

/// On any shard.
void server::fail(std::string_view name, std::exception_ptr why) {
  net::dispatch(executor_, [this, name, why = std::move(why)] { failed(name, why); });
}

void server::failed(std::string_view name, std::exception_ptr const& why) noexcept {
  stop();
  pause_.cancel();
  try {
    auto const reason = describe(why);
    if (!failure_)
      failure_ = std::make_exception_ptr(std::runtime_error(fmt::format("the {} failed: {}", name, reason)));
    log_->critical("server_failed", {{"part", name}, {"reason", reason}});
  } catch (...) {
    if (!failure_) failure_ = why;
  }
}

/// A loop that hangs keeps it from saying anything.
awaitable<void> server::report(clock::duration interval) {
  timer next(executor_);
  for (;;) {
    manager_.alive(admission_.seats.sessions());
    next.expires_after(interval);
    co_await next.async_wait(use_awaitable);
    co_await everywhere(take_a_turn);
  }
}

// The order is that of the stream: first nobody comes in, then everyone is told, then what is in goes out, then the
// peers go. A task on a shard is behind all that was posted to it before: so each step is a barrier.
awaitable<void> server::drain() {
  log_->info("stopping", {{"sessions", admission_.seats.sessions()}});
  admission_.draining = true;
  stop_listening();
  upkeep_.spawn(abort_at_deadline());
  // First: no room may end while others wait for what is said in it.
  admission_.rooms.stop();
  co_await say_farewell();
  co_await everywhere(close_branches);
  co_await everywhere(close_rooms);
  co_await inflow_.join();
  co_await everywhere(join_rooms);
  co_await everywhere(join_sessions);
  // Once more: what rooms had for each other's shards.
  co_await everywhere(join_rooms);
  admin_.close();
  survey_.hurry();
  co_await admin_.join();
  co_await everywhere(end_upkeep);
  upkeep_.cancel();
  co_await upkeep_.join();
  for (auto& loop : loops_) loop.finish();
  // For what they have posted here.
  co_await let_others_run(executor_);
}

awaitable<void> server::everywhere(shard_task task) {
  for (auto& each : shards_) {
    auto part = task(each);
    co_await run_on(each, std::move(part));
  }
}

/// Returns when all that was said by now, on any shard, has been pushed to everyone.
awaitable<void> server::settle() {
  co_await everywhere(flush);
  co_await everywhere(catch_up);
}

/// Everyone first gets what was said until then; those who are not told yet talk on.
awaitable<void> server::say_farewell() {
  auto const sessions = std::max<std::ptrdiff_t>(admission_.seats.sessions(), 1);
  clock::duration const drain_timeout = options_.drain_timeout;
  auto const interval = std::min<clock::duration>(farewell_interval, drain_timeout / 2 / sessions);
  auto const pause = farewells_at_once * interval;
  auto const tell = [this](peer& p) {
    if (!aborted_) p.close(farewells::draining);
  };
  auto const pause_here = [this, pause] { return pause_farewells(pause); };
  co_await settle();
  co_await visit(admission_.waiting, slice, tell, pause_here);
  for (auto& each : shards_) {
    auto part = say_farewell(each, pause);
    co_await run_on(each, std::move(part));
  }
}

/// On the shard's thread.
awaitable<void> server::say_farewell(shard& to, clock::duration pause) {
  auto const tell = [&to](peer& p) {
    if (!to.aborted) p.close(farewells::draining);
  };
  auto const pause_at_home = [this, pause] { return run_on(shards_.front(), pause_farewells(pause)); };
  co_await visit(to.sessions, farewells_at_once, tell, pause_at_home);
}

awaitable<void> server::pause_farewells(clock::duration time) {
  pause_.expires_after(aborted_ ? clock::duration::zero() : time);
  co_await pause_.async_wait(nothrow);
  co_await settle();
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
  stop_listening();
  co_await visit(admission_.waiting, slice, abort, pause);
  for (auto& each : shards_) net::dispatch(each.ex, [&each] { each.upkeep.spawn(abort_sessions(each)); });
}

}  // namespace chorus
