#pragma once
// Coroutines in unit tests.

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "support/asio.hpp"

namespace chorus::test {

/// It has its first turn when the others have had theirs. Rethrows what leaves `task`.
inline void start_later(net::io_context& io, awaitable<void> task) {
  net::co_spawn(io, std::move(task), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

/// Runs everything that can run without waiting. Rethrows what leaves `task`.
inline void start(net::io_context& io, awaitable<void> task) {
  start_later(io, std::move(task));
  io.restart();
  io.poll();
}

inline void poll(net::io_context& io) {
  io.restart();
  io.poll();
}

/// One turn of whoever is ready.
inline void poll_one(net::io_context& io) {
  io.restart();
  io.poll_one();
}

}  // namespace chorus::test
