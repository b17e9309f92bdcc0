#include "server/event_loop.hpp"

#include <ctime>
#include <pthread.h>
#include <utility>

namespace chorus {

namespace {

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// CPU time is what counts: a turn includes the wait for what it reacts to.
void run_watched(net::io_context& io, duration limit, logger& log) {
  for (auto begun = thread_cpu_time(); io.run_one() != 0;) {
    auto const ended = thread_cpu_time();
    auto const taken = ended - std::exchange(begun, ended);
    if (taken > limit) log.warn("slow_turn", {{"duration", taken}});
  }
}

}  // namespace

void run_turns(net::io_context& io, duration slow_turn, logger& log) {
  if (slow_turn == duration::zero()) {
    io.run();
  } else {
    run_watched(io, slow_turn, log);
  }
}

event_loop::event_loop() : io_(1), keeps_running_(io_.get_executor()) {
  // The first one takes the descriptors that waiting takes: now, not when there may be none left.
  timer const first(io_.get_executor());
}

void event_loop::start(std::string const& name, duration slow_turn, logger& log,
                       std::function<void(std::exception_ptr)> failed) {
  thread_ = std::thread([this, slow_turn, &log, failed = std::move(failed)] {
    for (;;) try {
        return run_turns(io_, slow_turn, log);
      } catch (...) {
        failed(std::current_exception());
      }
  });
  ::pthread_setname_np(thread_.native_handle(), name.c_str());
}

void event_loop::finish() {
  keeps_running_.reset();
  if (thread_.joinable()) thread_.join();
}

void event_loop::halt() {
  io_.stop();
  finish();
}

}  // namespace chorus
