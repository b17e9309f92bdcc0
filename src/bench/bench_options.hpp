#pragma once
// What can be measured, and what can be chosen for it.

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "protocol/url.hpp"
#include "tls/tls_context.hpp"

namespace chorus::bench {

enum class command { fanout, connect, idle, stalled, churn, storm };

/// What a command does not use keeps its default.
struct bench_options {
  command what = command::fanout;
  websocket_url to;
  tls_trust trust;

  std::size_t receivers = 0;
  std::size_t senders = 1;  ///< in each room
  std::size_t rooms = 0;    ///< over which all are spread; 0 is the one at the URL itself
  std::size_t in_flight = 1;
  double rate = 0;  ///< messages per second of all senders; 0 is a closed loop with `in_flight`
  std::size_t size = 0;
  std::size_t messages = 0;
  std::size_t warm_up = 0;

  std::size_t connections = 0;
  std::size_t at_once = 0;
  std::size_t talk = 0;               ///< messages that each connection says, all at once
  std::chrono::milliseconds watch{};  ///< how long idle connections are watched
  double stalled_share = 0;
  std::size_t stalled_receivers() const {
    return static_cast<std::size_t>(stalled_share * static_cast<double>(receivers));
  }
  std::size_t fill = 0;   ///< bytes that are sent to those who do not read, so that they are really behind
  double churn_rate = 0;  ///< joins per second
  std::size_t guests = 0;

  bool json_dialect = false;
  std::chrono::milliseconds timeout{};
  std::optional<pid_t> server_pid;
  std::size_t threads = 1;      ///< of the generator
  std::vector<unsigned> cores;  ///< one for each thread; empty if the system chooses
  bool json = false;
  bool own_host = false;

  std::string answer;  ///< not empty: print this (help or version) and do nothing else
};

/// `arguments` are without the program's name. Throws `cli::usage_error`.
bench_options parse_bench_options(std::span<char const* const> arguments);

std::string to_string(command what);

}  // namespace chorus::bench
