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
      inflow_(ex, [this](auto error) { shared_.report(error); }),
      upkeep_(ex, [this](auto error) { shared_.report(error); }) {}

awaitable<void> server::run() {
  inflow_.spawn(listener_.run([this](tcp_socket socket, tcp::endpoint const& from) {
    shared_.connections.spawn(serve(std::move(socket), from));
  }));
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

awaitable<void> server::serve(tcp_socket socket, tcp::endpoint from) {
  // For the outbound channel's direct writes. Asio's own operations do not mind.
  error_code ignored;
  socket.non_blocking(true, ignored);
  auto granted = co_await negotiate(shared_, socket, from);
  if (granted) co_await open_session(shared_, std::move(socket), from, std::move(*granted));
}

// The order is that of the stream: first nothing comes in, then what is in goes out, then the peers go.
awaitable<void> server::drain() {
  log_->info("stopping, with {} sessions", shared_.seats.taken());
  upkeep_.spawn(abort_at_deadline());
  listener_.close();
  shared_.lobby.close();
  co_await inflow_.join();
  for (auto& p : shared_.peers) p.close(farewells::draining);
  co_await shared_.connections.join();
  upkeep_.cancel();
  co_await upkeep_.join();
}

awaitable<void> server::abort_at_deadline() {
  timer deadline(executor_, shared_.options.drain_timeout);
  co_await deadline.async_wait(use_awaitable);
  abort();
}

}  // namespace chorus
