#pragma once
// A WebSocket client that does exactly what a test tells it, right or wrong. Shares no code with the server.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chorus::test {

using namespace std::chrono_literals;

/// Every wait ends here, with an exception that says what was waited for. Before the first ping comes, or that would be
/// something.
inline constexpr std::chrono::milliseconds patience = 15s;

struct frame {
  std::uint8_t opcode = 0;
  std::string payload;
  bool final = true;

  bool is_text() const { return opcode == 0x1; }
};

struct closing {
  std::uint16_t code = 0;
  std::string reason;

  bool operator==(closing const&) const = default;
};

/// How to send a frame, when not properly.
struct flaws {
  bool final = true;
  bool masked = true;
  std::uint8_t reserved = 0;  ///< RSV1 to RSV3, as the three lowest bits
};

/// One blocking TCP connection to a port on loopback. Closes on destruction. Functions throw `std::runtime_error` on a
/// broken connection or when patience ends.
class client {
 public:
  /// Only connects. A receive buffer of 0 leaves the system's default; `from` is the local address, in 127.0.0.0/8.
  explicit client(std::uint16_t port, int receive_buffer = 0, char const* from = "127.0.0.1");
  client(client&& other) noexcept;
  ~client();

  /// Connects, and becomes a WebSocket.
  static client chat(std::uint16_t port, int receive_buffer = 0);
  static client echo(std::uint16_t port);

  /// Sends a proper upgrade request with these extra header lines (each ended by CRLF) and returns the response's head.
  std::string upgrade(std::string_view path, std::string_view extra_headers = "");

  void send_raw(std::string_view bytes);
  void send_frame(std::uint8_t opcode, std::string_view payload, flaws how = {});
  void send_text(std::string_view text) { send_frame(0x1, text); }
  void send_close(std::uint16_t code, std::string_view reason = "");

  /// The next frame, whatever it is; nothing if the peer has ended the connection.
  std::optional<frame> receive_frame();
  /// The next text message; pings are answered meanwhile. Throws if something else comes.
  std::string receive_text();
  /// Skips text messages and pings until a close frame comes.
  closing receive_close();
  /// One HTTP response: head, and the body of its Content-Length.
  std::string receive_response();
  /// The same of one that has no body, whatever its head says.
  std::string receive_head();
  /// True if the connection ends (FIN or RST) with nothing in front of it.
  bool at_end();

  /// True if something comes within the time: for what must not happen.
  bool readable_within(std::chrono::milliseconds time);

  /// From now on it reads, and sends, at most so many bytes per second; 0 is as fast as it can.
  void throttle(std::size_t bytes_per_second) { rate_ = bytes_per_second; }

  /// Half-closes: no more comes from here.
  void finish();
  /// Ends the connection at once, with RST.
  void reset();

 private:
  struct unconnected {
    int socket;
  };

  explicit client(unconnected which) : socket_(which.socket) {}
  static client open(std::uint16_t port, std::string_view path, int receive_buffer);
  bool fill();
  std::string take(std::size_t bytes);
  std::size_t part(std::size_t most);

  int socket_ = -1;
  std::string input_;
  std::size_t rate_ = 0;
  std::chrono::steady_clock::time_point next_part_;
};

}  // namespace chorus::test
