#pragma once
// The whole server: it owns everything, and ends everything.

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/json_dialect.hpp"
#include "protocol/text_dialect.hpp"
#include "server/admin.hpp"
#include "server/admission.hpp"
#include "server/event_loop.hpp"
#include "server/listener.hpp"
#include "server/logging.hpp"
#include "server/negotiation.hpp"
#include "server/service_manager.hpp"
#include "server/settings.hpp"
#include "server/shard.hpp"
#include "server/survey.hpp"
#include "support/task_group.hpp"
#include "tls/tls_context.hpp"

namespace chorus {

/// Listens from construction, serves while `run` does. The executor that it is given is that of the first shard, which
/// accepts; for each further one the server has a thread. Executor's thread only, but for the constructor: to stop from
/// another thread, post. Destroy it after `run` has returned.
class server {
 public:
  /// Listens on the sockets that the service manager hands over, and opens those that it does not. Throws
  /// `runtime_error` that says why if an address cannot be listened on, a certificate will not do, or the system has no
  /// more threads. The log is used by all threads.
  server(executor ex, settings const& options, std::shared_ptr<logger> log, service_manager manager = {});
  ~server();

  /// Where it listens, with the real port if the options ask for port 0.
  tcp::endpoint local_endpoint() const { return listener_.local_endpoint(); }
  /// The same for the TLS listener; nothing if there is none.
  std::optional<tcp::endpoint> tls_endpoint() const;
  /// The same for the admin listener; nothing if there is none.
  std::optional<stream_endpoint> admin_address() const { return admin_.local_endpoint(); }

  /// Tells the service manager that it is ready, from then on how it is, and when it stops; the watchdog is fed as long
  /// as every event loop takes its turns. Serves until it is stopped, or something fails that it cannot go on without
  /// (listener, broadcaster, heartbeat, a thread): that stops it in good order, too. When it returns, every coroutine
  /// and every thread has ended and every descriptor is closed.
  awaitable<void> run();

  /// A `runtime_error` that says what has failed, or null.
  std::exception_ptr failure() const { return failure_; }

  /// Stops in good order: is not ready any more for the drain delay, then accepts nobody, delivers what was said, tells
  /// every peer (1012) and waits for them, at most for the drain timeout. Safe to call twice.
  void stop();

  /// Reads the certificate and its key again, for connections that begin from now on. If they will not do, that is
  /// logged, and those that it has stay. Nothing once it stops.
  void reload();

  /// Stops now: whoever is left is told (1001) if it fits without waiting, and cut off.
  void abort();

 private:
  using shard_task = awaitable<void> (*)(shard&);

  std::deque<shard> make_shards();
  void start_threads();
  void read_certificate();

  enum class security { none, tls };

  awaitable<void> take_from(listener& from, security wanted);
  void stop_listening();
  void accept(tcp_socket socket, tcp::endpoint const& from, security wanted);
  awaitable<void> serve(tcp_socket socket, tcp::endpoint from, security wanted);
  template <transport Transport>
  awaitable<void> serve(Transport socket, tcp::endpoint const& from, capacity::seat& seat, clock::time_point deadline);

  void watch(shard& over, peer_list& peers);
  awaitable<void> vital(std::string_view name, awaitable<void> task);
  void fail(std::string_view name, std::exception_ptr why);
  void failed(std::string_view name, std::exception_ptr const& why) noexcept;

  awaitable<void> report(clock::duration interval);
  awaitable<void> drain();
  awaitable<void> everywhere(shard_task task);
  awaitable<void> settle();
  awaitable<void> say_farewell();
  awaitable<void> say_farewell(shard& to, clock::duration pause);
  awaitable<void> pause_farewells(clock::duration time);
  awaitable<void> abort_at_deadline();
  awaitable<void> abort_when_asked();

  executor executor_;
  std::shared_ptr<logger> log_;
  settings const options_;
  service_manager manager_;
  text_dialect const text_;
  json_dialect const json_;
  dialect_table const dialects_{text_, json_};
  std::deque<event_loop> loops_;  ///< of all shards but the first
  std::deque<shard> shards_;
  admission admission_;
  std::optional<tls_context> tls_;
  survey survey_;
  listener listener_;
  std::optional<listener> tls_listener_;
  admin admin_;
  auto_reset_event stop_asked_;
  auto_reset_event abort_asked_;
  bool aborted_ = false;
  timer pause_;  ///< within the stop
  std::exception_ptr failure_;
  task_group inflow_;  ///< accept loops: they end by themselves when the listeners are closed
  task_group upkeep_;  ///< the sweep of empty rooms and what watches over the stop: cancelled last
};

}  // namespace chorus
