#include "bench/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

awaitable<void> elsewhere(executor where, awaitable<void> task) {
  co_await net::co_spawn(where, std::move(task), use_awaitable);
}

awaitable<void> call(visitor const& visit, crowd& people) {
  visit(people);
  co_return;
}

void fail_everywhere(std::deque<worker>& workers, std::string const& failure) {
  for (auto& w : workers) net::post(w.get_executor(), [&people = w.people(), failure] { people.fail(failure); });
}

}  // namespace

worker::worker(std::vector<target> const& rooms, std::size_t senders, send_times& sent)
    : people_(io_.get_executor(), rooms, senders, sent) {}

void worker::run(std::function<void(clock::time_point now)> const& each_turn) {
  for (auto last = clock::now(); !io_.stopped();) {
    auto const idle = io_.poll() == 0;
    auto const now = clock::now();
    if (idle) polling_.store((polling() + (now - last)).count(), std::memory_order_relaxed);
    last = now;
    each_turn(now);
  }
}

void worker::start() {
  at_work_.emplace(io_.get_executor());
  thread_ = std::jthread([this] { run([](clock::time_point) {}); });
}

awaitable<void> on_all(std::deque<worker>& workers, work const& each) {
  if (workers.size() == 1) co_return co_await each(workers.front().people(), 0);
  std::string failure;
  task_group tasks(workers.front().get_executor(), [&](std::exception_ptr error) {
    if (!failure.empty()) return;
    failure = describe(error);
    fail_everywhere(workers, failure);
  });
  for (std::size_t i = 0; i != workers.size(); ++i)
    tasks.spawn(elsewhere(workers[i].get_executor(), each(workers[i].people(), i)));
  co_await tasks.join();
  if (!failure.empty()) throw check_failed(failure);
}

awaitable<void> in_turn(std::deque<worker>& workers, visitor const& visit) {
  visit(workers.front().people());
  for (std::size_t i = 1; i != workers.size(); ++i) {
    auto const where = workers[i].get_executor();
    co_await net::co_spawn(where, call(visit, workers[i].people()), use_awaitable);
  }
}

}  // namespace chorus::bench
