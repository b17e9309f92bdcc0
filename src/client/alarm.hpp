#pragma once
// A deadline.

#include <functional>
#include <memory>
#include <utility>

#include "support/asio.hpp"

namespace chorus {

/// Calls `ring` once, from the executor, when the time has passed; never after it was destroyed.
class alarm {
 public:
  alarm(executor ex, clock::duration after, std::function<void()> ring)
      : timer_(ex, after), state_(std::make_shared<state>(state{std::move(ring)})) {
    timer_.async_wait([state = state_](error_code stopped) {
      if (stopped || !state->armed) return;
      state->rung = true;
      state->ring();
    });
  }
  alarm(alarm const&) = delete;
  alarm& operator=(alarm const&) = delete;
  // The handler may be queued already, where it cannot be cancelled any more.
  ~alarm() { state_->armed = false; }

  bool rung() const { return state_->rung; }

 private:
  struct state {
    std::function<void()> ring;
    bool armed = true;
    bool rung = false;
  };

  timer timer_;
  std::shared_ptr<state> state_;
};

}  // namespace chorus
