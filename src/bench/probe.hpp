#pragma once
// How long the server answers nobody.

#include <boost/beast/core/flat_buffer.hpp>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "bench/blocking_socket.hpp"
#include "bench/client_frame.hpp"
#include "bench/preparation.hpp"

namespace chorus::bench {

/// One more WebSocket to the server under test, which sends a ping every millisecond, or as soon as the last one was
/// answered if that took longer. What the server says to everyone it skips.
///
/// It has a thread of its own, and goes by the time at which the kernel received a pong: so however busy the
/// generator is, it neither hides a silence nor makes one up. Made, asked and destroyed on one thread; destroying it
/// ends the connection and waits for the thread.
class probe {
 public:
  /// Connects, blocking, and begins to ping. To connect, and for every pong, the server has as long as `patience`.
  /// Throws `check_failed`.
  probe(target const& to, std::chrono::milliseconds patience);
  probe(probe const&) = delete;
  probe& operator=(probe const&) = delete;
  ~probe();

  /// Throws `check_failed` if the connection has ended, by whomever, or a pong has not come in time.
  void throw_if_failed() const;
  /// How many pings have been answered.
  std::uint64_t answered() const;
  /// The longest time from a ping to its pong, of those that were answered since this was last called.
  clock::duration take_longest_silence();

 private:
  void shake_hands(target const& to);
  void ping_until_the_end();
  void ping_once();
  bool read_for_pong(std::string_view awaited, clock::time_point deadline);
  bool consume(server_frame const& frame, std::string_view awaited);
  bool receive(clock::time_point deadline);
  void send(opcode op, std::string_view payload);
  void record(clock::duration silence);

  // The thread's, once it runs.
  std::chrono::milliseconds patience_;
  blocking_socket socket_;
  boost::beast::flat_buffer input_;
  clock::time_point last_arrival_;

  std::mutex mutable mutex_;  ///< guards what follows
  clock::duration longest_{};
  std::uint64_t answered_ = 0;
  std::string failure_;

  std::jthread thread_;
};

}  // namespace chorus::bench
