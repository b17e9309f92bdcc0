#pragma once
// The real server on a real socket, in a thread of its own.

#include <cstddef>
#include <cstdint>
#include <future>
#include <string>
#include <thread>

#include "client.hpp"
#include "server/server.hpp"

namespace chorus::test {

/// Short enough timeouts for a test to see, long enough for a busy machine. The environment says with how many threads
/// (`TEST_THREADS`), and each room spans all of them.
settings test_settings();

/// Serves on port 0 of loopback until `stop` or destruction; the destructor waits until every coroutine has ended.
class running_server {
 public:
  explicit running_server(settings options = test_settings());
  ~running_server();

  std::uint16_t port() const { return port_; }

  void stop();
  void abort();
  /// True when `server::run` has returned, within the time.
  bool ended_within(std::chrono::milliseconds time);
  /// What has failed, after the end, which it waits for; empty if nothing has.
  std::string failure();

  /// From now on logging a line that contains the words throws: the way to make fail what is not ours.
  void fail_when_it_logs(std::string words);
  /// How long its thread has been working, all in all.
  std::chrono::nanoseconds cpu_time();

  /// Everything that is logged so far, from debug up.
  std::string log() const;
  bool has_logged(std::string_view words) const { return log().find(words) != std::string::npos; }
  /// True when the log contains the words, at the latest when patience ends.
  bool logs(std::string_view words) const;

 private:
  struct log_capture;

  std::shared_ptr<log_capture> captured_;
  net::io_context io_;
  server server_;
  std::uint16_t port_;
  std::promise<void> ended_;
  std::future<void> end_;
  std::thread thread_;
};

/// Of this process, with the server in it.
std::ptrdiff_t open_descriptors();

}  // namespace chorus::test
