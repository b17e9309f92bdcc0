#pragma once
// What ends a run.

#include <stdexcept>

namespace chorus::bench {

/// The server under test, or the way to it, is not as it should be. `what()` is for people and says who missed what.
struct check_failed : std::runtime_error {
  using runtime_error::runtime_error;
};

}  // namespace chorus::bench
