#pragma once
// What the commands are made of: the stages of a run, each on all its threads.

#include "bench/run.hpp"

namespace chorus::bench {

/// Connects `count` participants more, spread over the threads. Throws `check_failed`.
awaitable<void> gather(run& r, std::size_t count);
/// How long the handshakes took, of all that count.
awaitable<latencies> handshakes(run& r);

/// Connects the receivers, and returns when all hear each other and the warm-up is over.
awaitable<void> assemble(run& r);

/// Returns when all participants hear what the first sender in their room says: a server may say that a connection is
/// open before it broadcasts to it.
awaitable<void> call_the_roll(run& r);

/// Sends `messages` of `size` bytes, at the rate or in the closed loop of the options, and returns when every counted
/// participant has them.
awaitable<void> exchange(run& r, std::size_t messages, std::size_t size);
/// The same, in a closed loop whatever the options say.
awaitable<void> exchange_in_flight(run& r, std::size_t messages, std::size_t size, std::size_t in_flight);

/// What came of the last exchange.
awaitable<tally> count_deliveries(run& r);

/// Waits, and then throws `check_failed` if anything has failed: a connection that ended, a message that came twice.
awaitable<void> pause(run& r, std::chrono::milliseconds how_long);
/// Long enough for what must not come after the last message.
constexpr auto aftermath = std::chrono::milliseconds(50);

}  // namespace chorus::bench
