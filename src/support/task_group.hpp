#pragma once
// The scope that coroutines are spawned into: nobody outlives it, nobody is detached.

#include <boost/asio/cancellation_signal.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <string>

#include "support/auto_reset_event.hpp"

namespace chorus {

/// What an exception says, whatever it is.
std::string describe(std::exception_ptr const& error);

/// True if it is what a pending operation throws when its task is cancelled.
bool is_cancellation(std::exception_ptr const& error);

/// Coroutines that are started together, cancelled together and awaited together.
///
/// Owned by the object whose state the tasks use, and must outlive them: `co_await join()` before it is destroyed (the
/// destructor asserts that). All calls on the executor's thread. An exception that leaves a task ends that task alone
/// and goes to the error handler; what `cancel()` makes it throw is the normal end of a task and is not reported.
class task_group {
 public:
  using error_handler = std::function<void(std::exception_ptr)>;

  /// Without a handler, an error leaves `io_context::run`: for programs that cannot go on after a bug.
  explicit task_group(executor ex, error_handler on_error = std::rethrow_exception);
  task_group(task_group const&) = delete;
  task_group& operator=(task_group const&) = delete;
  ~task_group();

  /// Starts `task`, which runs inline until it first suspends. Throws `bad_alloc`, and then the task does not run.
  void spawn(awaitable<void> task);

  /// Asks every task to end: its pending operation fails with `operation_aborted`. Later `spawn`s are not affected.
  /// Each task must have begun: with Boost 1.83, what `co_spawn` does for one that has not throws out of
  /// `io_context::run`.
  void cancel();

  /// Returns when no task is left, including those that were spawned meanwhile. One joiner at a time.
  awaitable<void> join();

  std::size_t size() const { return tasks_.size(); }

 private:
  using task_list = std::list<net::cancellation_signal>;

  void finished(task_list::iterator task, std::exception_ptr error);

  executor executor_;
  error_handler on_error_;
  task_list tasks_;
  auto_reset_event emptied_;
};

}  // namespace chorus
