#pragma once
// What is counted of connections, by the thread that has them. Plain numbers: who wants to know them asks the thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "server/ending.hpp"
#include "support/histogram.hpp"

namespace chorus {

/// What WebSockets are told apart by: in rooms by their dialect, in its order, then the rest.
enum class session_kind : std::uint8_t { text, json, echo };
inline constexpr std::array<std::string_view, 3> session_kind_names{"text", "json", "echo"};

/// Of one shard, since the beginning, but for `open`.
struct session_tally {
  std::array<std::uint64_t, session_kind_names.size()> open{};    ///< now
  std::array<std::uint64_t, session_kind_names.size()> opened{};  ///< since the beginning
  std::array<std::uint64_t, ending_names.size()> ended{};
  std::uint64_t messages = 0;        ///< heard from peers
  std::uint64_t bytes_received = 0;  ///< in these
  std::uint64_t bytes_sent = 0;      ///< that sockets have taken: frames, and what opens them
  std::uint64_t gaps = 0;            ///< that slow peers were told of
  std::uint64_t skipped = 0;         ///< messages in these
  std::uint64_t pauses = 0;          ///< of reading, for the rate limit
  histogram lag;                     ///< of the event loop: how late a timer was, in microseconds

  session_tally& operator+=(session_tally const& other) {
    for (std::size_t i = 0; i != open.size(); ++i) open[i] += other.open[i];
    for (std::size_t i = 0; i != opened.size(); ++i) opened[i] += other.opened[i];
    for (std::size_t i = 0; i != ended.size(); ++i) ended[i] += other.ended[i];
    messages += other.messages;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
    gaps += other.gaps;
    skipped += other.skipped;
    pauses += other.pauses;
    lag += other.lag;
    return *this;
  }
};

/// Of the shard that accepts, since the beginning.
struct admission_tally {
  std::uint64_t accepted = 0;                         ///< connections
  std::map<unsigned, std::uint64_t> answers;          ///< to requests that opened no WebSocket, by HTTP status
  std::map<std::string_view, std::uint64_t> refused;  ///< connections and WebSockets, by the word for why
};

}  // namespace chorus
