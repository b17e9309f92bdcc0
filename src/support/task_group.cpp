#include "support/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <utility>

namespace chorus {

bool is_cancellation(std::exception_ptr const& error) {
  try {
    std::rethrow_exception(error);
  } catch (boost::system::system_error const& e) {
    return e.code() == net::error::operation_aborted || e.code() == net::experimental::error::channel_cancelled;
  } catch (...) {
    return false;
  }
}

std::string describe(std::exception_ptr const& error) {
  try {
    std::rethrow_exception(error);
  } catch (std::exception const& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

task_group::task_group(executor ex, error_handler on_error)
    : executor_(ex), on_error_(std::move(on_error)), emptied_(ex) {}

task_group::~task_group() { assert(tasks_.empty() && "a task_group was destroyed before join() returned"); }

void task_group::spawn(awaitable<void> task) {
  auto const self = tasks_.emplace(tasks_.end());
  try {
    net::co_spawn(
        executor_, std::move(task),
        net::bind_cancellation_slot(self->slot(), [this, self](std::exception_ptr error) { finished(self, error); }));
  } catch (...) {
    tasks_.erase(self);
    throw;
  }
}

void task_group::cancel() {
  // A task may end, and leave the list, while its signal is being emitted.
  for (auto task = tasks_.begin(); task != tasks_.end();) (task++)->emit(net::cancellation_type::terminal);
}

awaitable<void> task_group::join() {
  while (!tasks_.empty()) co_await emptied_.wait();
}

void task_group::finished(task_list::iterator task, std::exception_ptr error) {
  tasks_.erase(task);
  if (error && !is_cancellation(error)) on_error_(error);
  if (tasks_.empty()) emptied_.set();
}

}  // namespace chorus
