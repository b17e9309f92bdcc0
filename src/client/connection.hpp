#pragma once
// A WebSocket as a client sees it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/url.hpp"
#include "support/asio.hpp"
#include "tls/tls_context.hpp"

namespace chorus {

/// What to ask for besides the URL.
struct handshake {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string subprotocol;
  int receive_buffer = 0;                      ///< SO_RCVBUF in bytes, set before connecting; 0 leaves the system's
  std::shared_ptr<tls_context> tls = nullptr;  ///< of a client; needed for wss
};

inline constexpr std::uint16_t normal_closure = 1000;  ///< RFC 6455 section 7.4.1

/// How an attempt to connect ended.
struct connect_result {
  error_code error;         ///< none if the WebSocket is open
  unsigned status = 0;      ///< the HTTP status, if there was a response: 101, or why not
  std::string what;         ///< for people: why it failed; empty if it did not
  std::string subprotocol;  ///< what the server chose

  bool ok() const { return !error; }
};

/// What comes from the server.
struct incoming {
  enum class kind {
    text,    ///< `data` is UTF-8
    binary,  ///< `data` is any bytes
    closed,  ///< the server sent a close frame: `code` (1005 if there was none), and `data` is its reason
    failed,  ///< the connection is lost, or what came was no WebSocket: `error`, and `data` describes it
  };

  kind what = kind::failed;
  std::string data;
  std::uint16_t code = 0;
  error_code error = {};
};

/// One client connection. Executor's thread only. Functions do not throw for what the server does. One `receive` and
/// one each of `send`, `ping` and `close` may be under way at a time; whoever destroys it awaits them first (`drop`
/// makes them end).
class connection {
 public:
  explicit connection(executor ex);
  connection(connection&&) noexcept;
  ~connection();

  /// Resolves the host, connects, upgrades; TLS and the upgrade take at most 10 s each. Once.
  awaitable<connect_result> open(websocket_url to, handshake request);

  /// The next message, in order. Pings of the server are answered while a `receive` is under way. After `closed` or
  /// `failed` there is nothing more to come.
  awaitable<incoming> receive();

  awaitable<error_code> send_text(std::string text);
  awaitable<error_code> send_binary(std::string bytes);
  /// At most 125 bytes.
  awaitable<error_code> ping(std::string payload);
  /// Sends a close frame and waits for the server's, at most 10 s. The `receive` under way then yields `closed`.
  awaitable<error_code> close(std::uint16_t code, std::string reason);

  /// Called with the payload of every pong, while a `receive` is under way.
  void on_pong(std::function<void(std::string)> call);

  /// Ends the connection at once: TCP reset, no close frame.
  void drop();

 private:
  struct implementation;
  std::unique_ptr<implementation> self_;
};

}  // namespace chorus
