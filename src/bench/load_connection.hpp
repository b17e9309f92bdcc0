#pragma once
// One WebSocket to the server under test.

#include <boost/beast/core/flat_buffer.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "bench/client_frame.hpp"
#include "bench/preparation.hpp"
#include "support/auto_reset_event.hpp"
#include "support/task_group.hpp"
#include "tls/tls_socket.hpp"

namespace chorus::bench {

/// A client that costs less than any server it measures: it knows just enough of RFC 6455 to check a server, asks for
/// no extension, parses frames where they were received, and sends without a queue while the socket takes all.
///
/// Everything on the executor's thread. The task group, which must outlive the connection, gets the coroutine that
/// finishes a send that the socket did not take.
class load_connection {
 public:
  /// Gets what comes in, from within `read_loop`.
  struct handler {
    /// A whole text message. `now` is when the bytes were read.
    virtual void on_text(std::string_view text, clock::time_point now) = 0;

   protected:
    ~handler() = default;
  };

  load_connection(executor ex, task_group& tasks) : socket_(tcp_socket(ex)), tasks_(tasks), resumed_(ex) {}

  /// Connects and upgrades. The kernel holds as much that has not been read as it likes, or else about as much as
  /// `receive_buffer`, in bytes. Throws `check_failed` if the server will not have it.
  awaitable<void> open(target const& to, std::optional<int> receive_buffer = std::nullopt);

  /// Reads until the connection ends, by either side. Throws `check_failed` for what no server should send, or what the
  /// handler throws. After it returned, `close_code` says how it ended.
  awaitable<void> read_loop(handler& to);

  /// Sends a text message.
  void say(std::string_view text);

  /// No byte is read between these, after the read that may be pending. So the peer is stalled.
  void pause() { paused_ = true; }
  void resume();

  /// Says goodbye (RFC 6455 section 7.1.2); `read_loop` returns when the server has answered.
  void leave();
  /// Closes the socket without a word.
  void close();

  /// What the server's close frame said, 1005 if it had no code, 0 if none came.
  unsigned close_code() const { return close_code_; }

 private:
  awaitable<void> connect(tcp::endpoint to, std::optional<int> receive_buffer);
  awaitable<void> secure(target const& to);
  awaitable<void> upgrade(target const& to);
  void consume_frames(handler& to, clock::time_point now);
  void consume(server_frame const& frame, handler& to, clock::time_point now);
  void send(opcode op, std::string_view payload);
  awaitable<void> flush();

  tls_socket socket_;
  task_group& tasks_;
  boost::beast::flat_buffer input_;
  std::string fragments_;  ///< of a message whose last frame has not come
  std::string output_;     ///< what the socket has not taken yet
  bool flushing_ = false;
  bool paused_ = false;
  bool leaving_ = false;
  unsigned close_code_ = 0;
  auto_reset_event resumed_;
};

}  // namespace chorus::bench
