#pragma once
// What operators ask the server, on a listener of its own: metrics, health, and what the rooms do.

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <optional>
#include <string>

#include "server/address.hpp"
#include "server/inherited_sockets.hpp"
#include "server/logging.hpp"
#include "server/peer.hpp"
#include "server/survey.hpp"
#include "support/task_group.hpp"

namespace chorus {

/// Answers GET /metrics, /healthz, /readyz and /rooms over HTTP. It trusts whoever can connect, and few can at a time:
/// when one more comes, who was silent longest goes.
///
/// Owned by the server, whose accepting shard's thread is the only one that calls it; `join` must have returned before
/// it is destroyed.
class admin {
 public:
  /// Takes the inherited socket named `admin`, or listens at `at`; without either it does nothing. A Unix socket that
  /// nobody listens on any more is replaced. Throws `runtime_error` that says why if the address cannot be had.
  admin(executor ex, std::optional<stream_endpoint> const& at, inherited_sockets& inherited, survey& of, logger& log);
  ~admin();

  /// Where it listens, with the real port; nothing if it is off.
  std::optional<stream_endpoint> local_endpoint() const;

  /// Those who are connected, for the heartbeat.
  peer_list& peers() { return peers_; }

  /// Accepts until `close`.
  void start();
  /// Accepts nobody any more, and ends all connections.
  void close();
  awaitable<void> join() { return tasks_.join(); }

 private:
  using socket = net::basic_stream_socket<net::generic::stream_protocol, executor>;
  class connection;

  void listen(stream_endpoint const& at);
  awaitable<void> accept();
  awaitable<void> serve(socket with);

  survey& observed_;
  logger& log_;
  net::basic_socket_acceptor<net::generic::stream_protocol, executor> acceptor_;
  std::string path_;  ///< of the Unix socket that it has made
  peer_list peers_;
  std::size_t connected_ = 0;
  timer pause_;
  task_group tasks_;
};

}  // namespace chorus
