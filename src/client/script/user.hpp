#pragma once
// One user of a script: a connection, and what has come over it.

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "client/connection.hpp"
#include "client/script/matcher.hpp"
#include "client/script/transcript.hpp"
#include "support/asio.hpp"
#include "support/auto_reset_event.hpp"

namespace chorus::script {

/// Shared by the player and by the task that reads. Executor's thread only; the transcript must outlive it. What takes
/// a deadline drops the connection when that has passed, and then says `timed_out`.
class user {
 public:
  user(executor ex, std::string name, transcript& record);

  awaitable<connect_result> connect(websocket_url to, handshake asked, clock::duration deadline);
  awaitable<error_code> send(message what, clock::duration deadline);
  /// Sends a ping and waits for its pong.
  awaitable<error_code> ping(std::string payload, clock::duration deadline);
  /// Sends a close frame and waits for the server's. A stalled user reads again.
  awaitable<error_code> close(std::uint16_t code, std::string reason, clock::duration deadline);
  void drop();

  /// A stalled user does not read its socket, but for the one message that it may have begun to read.
  void stall(bool stalled);

  /// Waits until something has come: a message waits, or the connection has ended. False if the deadline passes before.
  awaitable<bool> wait_for_anything(clock::duration deadline);

  std::string const& name() const { return name_; }
  /// What the server chose; empty: none.
  std::string const& subprotocol() const { return subprotocol_; }
  /// What has come and no step has taken, in order.
  std::deque<message>& inbox() { return inbox_; }
  /// How the connection ended, if it has. What is in the inbox came before that.
  std::optional<incoming> const& ending() const { return ending_; }

 private:
  friend awaitable<void> read_all(std::shared_ptr<user> from);

  void take(incoming next);

  executor executor_;
  std::string name_;
  std::string subprotocol_;
  transcript& record_;
  connection link_;
  std::deque<message> inbox_;
  std::optional<incoming> ending_;
  std::deque<std::string> pongs_;
  auto_reset_event changed_;
  auto_reset_event unstalled_;
  bool stalled_ = false;
  bool dropped_ = false;
  bool closing_ = false;
};

/// Puts what comes into the inbox, until the connection ends. To be spawned once the user is connected.
awaitable<void> read_all(std::shared_ptr<user> from);

/// How a connection ended, for people.
std::string describe_ending(incoming const& ending);

}  // namespace chorus::script
