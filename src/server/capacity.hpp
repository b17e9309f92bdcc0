#pragma once
// How many connections there may be, in all and from one address.

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "server/settings.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Counts all connections, and those of them that are WebSockets. `max_connections` and `max_connections_per_address`
/// limit WebSockets; a trusted proxy has no limit of its own, since its clients have theirs. Of all connections there
/// may be a few more, for those who only ask how the server is, or are told that it is full. So whatever others do,
/// WebSockets have their places.
///
/// Owned by the server, outlives every seat; executor's thread only.
class capacity {
  struct count {
    std::ptrdiff_t all = 0;
    std::ptrdiff_t sessions = 0;
  };
  using by_address = std::unordered_map<net::ip::address, count>;

 public:
  using address = net::ip::address;

  /// More connections than WebSockets, in all and from one address.
  static constexpr std::size_t spare = 128;
  static constexpr std::size_t spare_per_address = 8;

  explicit capacity(settings const& options) : options_(options) {}

  /// True if there may be one more connection in all, or from this address; WebSocket or not.
  bool has_room() const { return below(total_.all, options_.max_connections, spare); }
  bool has_room_for(address const& from) const { return below(of(from).all, limit_of(from), spare_per_address); }
  /// True if a connection from this address may become a WebSocket now.
  bool admits(address const& from) const {
    return below(total_.sessions, options_.max_connections, 0) && below(of(from).sessions, limit_of(from), 0);
  }
  std::ptrdiff_t connections() const { return total_.all; }
  std::ptrdiff_t sessions() const { return total_.sessions; }

  /// One connection's place, from construction to destruction, first without and then with a WebSocket.
  class seat {
   public:
    seat(capacity& in, address const& from) : in_(&in), here_(&*in.by_address_.try_emplace(from).first) {
      in_->change(*here_, {1, 0});
    }
    seat(seat&& other) noexcept
        : in_(std::exchange(other.in_, nullptr)), here_(other.here_), is_session_(other.is_session_) {}
    ~seat() {
      if (in_ != nullptr) in_->change(*here_, {-1, is_session_ ? -1 : 0});
    }

    /// From now on it counts for this address. Before it becomes a session.
    void move_to(address const& from) {
      auto& there = *in_->by_address_.try_emplace(from).first;
      in_->change(there, {1, 0});
      in_->change(*std::exchange(here_, &there), {-1, 0});
    }

    void become_session() {
      in_->change(*here_, {0, 1});
      is_session_ = true;
    }

   private:
    capacity* in_;
    by_address::value_type* here_;
    bool is_session_ = false;
  };

 private:
  static bool below(std::ptrdiff_t taken, std::size_t limit, std::size_t extra) {
    return limit == 0 || static_cast<std::size_t>(taken) < limit + extra;
  }
  std::size_t limit_of(address const& from) const {
    return contains(options_.trusted_proxies, from) ? 0 : options_.max_connections_per_address;
  }
  count of(address const& from) const {
    auto const found = by_address_.find(from);
    return found == by_address_.end() ? count() : found->second;
  }
  void change(by_address::value_type& here, count by) {
    for (auto* const to : {&here.second, &total_}) {
      to->all += by.all;
      to->sessions += by.sessions;
    }
    if (here.second.all == 0) by_address_.erase(by_address_.find(here.first));
  }

  settings const& options_;
  count total_;
  by_address by_address_;
};

}  // namespace chorus
