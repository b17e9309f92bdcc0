#pragma once
// A peer's socket for outbound channels, without a network.

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "support/outbound_channel.hpp"

namespace chorus::test {

struct fake_sink : outbound_channel::sink {
  std::size_t room = 0;  ///< how many bytes the socket takes without blocking
  std::string written;
  std::vector<event_range> gaps;  ///< of which it was to be told
  int write_loops = 0;            ///< how many were started
  bool out_of_memory = false;
  int failures = 0;  ///< how often it was told that something could not be queued

  std::size_t try_write(net::const_buffer bytes) noexcept override {
    auto const taken = std::min(room, bytes.size());
    written.append(static_cast<char const*>(bytes.data()), taken);
    room -= taken;
    return taken;
  }

  void start_writing() override {
    if (out_of_memory) throw std::bad_alloc();
    ++write_loops;
  }

  void failed(std::exception_ptr) noexcept override { ++failures; }

  packet_ptr gap_notice(event_range missed) override {
    gaps.push_back(missed);
    return make_packet("<gap " + std::to_string(missed.first) + "-" + std::to_string(missed.last) + ">");
  }

  /// What a write loop would do: sends everything that waits, or `most` bytes of it.
  void drain(outbound_channel& out, std::size_t most = std::string::npos) {
    while (!out.empty() && most != 0) {
      std::size_t sent = 0;
      for (auto const& buffer : out.gather()) {
        auto const part = std::min(most - sent, buffer.size());
        written.append(static_cast<char const*>(buffer.data()), part);
        sent += part;
      }
      most -= sent;
      out.consume(sent);
    }
  }
};

}  // namespace chorus::test
