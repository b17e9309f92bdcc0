#pragma once
// What may travel, and ends where it came from.

#include <boost/asio/dispatch.hpp>
#include <optional>
#include <utility>

#include "support/asio.hpp"

namespace chorus {

/// Holds a value that belongs to one executor's thread, wherever the holder goes: the value is destroyed on that
/// thread, at once if the holder ends there, else by a post. Meanwhile nobody touches it. The executor's loop runs as
/// long as there are holders.
template <class T>
class homebound {
 public:
  homebound(executor home, T value) : home_(home), value_(std::move(value)) {}
  homebound(homebound&& other) noexcept
      : home_(std::move(other.home_)), value_(std::exchange(other.value_, std::nullopt)) {}
  homebound& operator=(homebound&&) = delete;
  ~homebound() {
    if (value_) net::dispatch(home_, [ends = std::move(value_)]() mutable { ends.reset(); });
  }

 private:
  executor home_;
  std::optional<T> value_;
};

}  // namespace chorus
