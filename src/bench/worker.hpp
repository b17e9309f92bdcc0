#pragma once
// The threads of the generator.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "bench/crowd.hpp"

namespace chorus::bench {

/// A thread's event loop, and those participants who live in it. It never sleeps: a generator that sleeps makes the
/// server pay for waking it.
///
/// Made and destroyed on the main thread, which also runs the first worker. Destroying one ends its thread; whoever is
/// in it has dispersed before.
class worker {
 public:
  worker(std::vector<target> const& rooms, std::size_t senders, send_times& sent);
  worker(worker const&) = delete;
  worker& operator=(worker const&) = delete;
  ~worker() { io_.stop(); }

  executor get_executor() { return io_.get_executor(); }
  /// Used on the thread of the loop only.
  crowd& people() { return people_; }

  /// Runs the loop until there is nothing left to do, and calls `each_turn` all the while.
  void run(std::function<void(clock::time_point now)> const& each_turn);
  /// Runs the loop in a thread of its own, which inherits the cores of the caller.
  void start();

  /// Time that went into looking for something to do, and finding nothing. From any thread.
  clock::duration polling() const { return clock::duration(polling_.load(std::memory_order_relaxed)); }

 private:
  net::io_context io_{1};
  std::atomic<clock::rep> polling_{};
  crowd people_;
  std::optional<net::executor_work_guard<executor>> at_work_;
  std::jthread thread_;
};

/// What is done on a worker's thread. The coroutine is made on the first worker's.
using work = std::function<awaitable<void>(crowd& people, std::size_t index)>;
/// Does it on all threads at the same time, and returns when all are done. When it fails on one, whoever waits on the
/// others fails too; then throws what the first one threw. On the first worker's thread, like `in_turn`.
awaitable<void> on_all(std::deque<worker>& workers, work const& each);

using visitor = std::function<void(crowd& people)>;
/// Calls `visit` on one thread after the other, so that what it changes needs no lock.
awaitable<void> in_turn(std::deque<worker>& workers, visitor const& visit);

}  // namespace chorus::bench
