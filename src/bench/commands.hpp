#pragma once
// The six kinds of work.

#include "bench/stages.hpp"

namespace chorus::bench {

// Each carries out one command and says what it found. They throw `check_failed`.

awaitable<report> fanout(run& r);
awaitable<report> connect(run& r);
awaitable<report> idle(run& r);
awaitable<report> stalled(run& r);
awaitable<report> churn(run& r);
awaitable<report> storm(run& r);

}  // namespace chorus::bench
