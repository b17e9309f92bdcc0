#pragma once
// How many sessions there may be, in all and from one address.

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <unordered_map>

#include "server/settings.hpp"

namespace chorus {

/// Counts the sessions. Owned by the server, outlives every seat; executor's thread only.
class capacity {
 public:
  using address = boost::asio::ip::address;

  explicit capacity(settings const& options) : options_(options) {}

  /// True if a session from this address may begin now.
  bool admits(address const& from) const;
  std::size_t taken() const { return taken_; }

  /// One session's place, from construction to destruction.
  class seat {
   public:
    seat(capacity& in, address const& from) : in_(in), from_(from) {
      ++in_.taken_;
      ++in_.taken_by_[from_];
    }
    seat(seat const&) = delete;
    seat& operator=(seat const&) = delete;
    ~seat() {
      --in_.taken_;
      if (auto const count = in_.taken_by_.find(from_); --count->second == 0) in_.taken_by_.erase(count);
    }

   private:
    capacity& in_;
    address from_;
  };

 private:
  settings const& options_;
  std::size_t taken_ = 0;
  std::unordered_map<address, std::size_t> taken_by_;
};

inline bool capacity::admits(address const& from) const {
  if (options_.max_connections != 0 && taken_ >= options_.max_connections) return false;
  auto const count = taken_by_.find(from);
  return options_.max_connections_per_address == 0 || count == taken_by_.end() ||
         count->second < options_.max_connections_per_address;
}

}  // namespace chorus
