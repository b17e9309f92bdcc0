#include "server/server.hpp"

#include <utility>

#include "server/heartbeat.hpp"
#include "server/negotiation.hpp"
#include "server/session.hpp"

namespace chorus {

server::server(executor ex, settings const& options, std::shared_ptr<spdlog::logger> log)
    : executor_(ex),
      log_(std::move(log)),
      shared_(ex, options, *log_),
      listener_(ex, {options.address, options.port}, *log_),
      stop_asked_(ex),
      inflow_(ex, [this](std::exception_ptr e) { report(std::move(e)); }),
      connections_(ex, [this](std::exception_ptr e) { report(std::move(e)); }),
      upkeep_(ex, [this](std::exception_ptr e) { report(std::move(e)); }) {}

awaitable<void> server::run() {
  inflow_.spawn(listener_.run([this](tcp_socket socket) { accept(std::move(socket)); }));
  inflow_.spawn(shared_.lobby.run());
  upkeep_.spawn(heartbeat(executor_, shared_.peers, heartbeat_period(shared_.options)));
  co_await stop_asked_.wait();
  co_await drain();
}

void server::stop() {
  shared_.draining = true;
  stop_asked_.set();
}

void server::abort() {
  stop();
  for (auto& p : shared_.peers) p.abort(farewells::stopped);
}

void server::accept(tcp_socket socket) { connections_.spawn(serve(std::move(socket))); }

awaitable<void> server::serve(tcp_socket socket) {
  error_code ec;
  auto const from = socket.remote_endpoint(ec);
  if (ec) co_return;
  socket.set_option(tcp::no_delay(true), ec);
  // For the outbound channel's direct writes. Asio's own operations do not mind.
  socket.non_blocking(true, ec);
  auto granted = co_await negotiate(shared_, socket, from);
  if (!granted) co_return;
  auto asked = std::move(*granted);
  granted.reset();
  co_await run_session(shared_, std::move(socket), from, std::move(asked));
}

// The order is that of the stream: first nothing comes in, then what is in goes out, then the peers go.
awaitable<void> server::drain() {
  log_->info("stopping, with {} sessions", shared_.seats.taken());
  upkeep_.spawn(abort_at_deadline());
  listener_.close();
  shared_.lobby.close();
  co_await inflow_.join();
  for (auto& p : shared_.peers) p.close(farewells::draining);
  co_await connections_.join();
  upkeep_.cancel();
  co_await upkeep_.join();
}

awaitable<void> server::abort_at_deadline() {
  timer deadline(executor_, shared_.options.drain_timeout);
  co_await deadline.async_wait(use_awaitable);
  abort();
}

void server::report(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (std::exception const& e) {
    log_->error("a task failed: {}", e.what());
  }
}

}  // namespace chorus
