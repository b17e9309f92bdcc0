#pragma once
// Memory that runs out at the right moment.

#include <cstddef>

namespace chorus::test {

/// While it lives, every `operator new` for exactly `bytes` throws `bad_alloc`, in any thread. Choose a size that
/// nothing else has. One at a time.
class failing_allocation {
 public:
  explicit failing_allocation(std::size_t bytes);
  failing_allocation(failing_allocation const&) = delete;
  failing_allocation& operator=(failing_allocation const&) = delete;
  ~failing_allocation();
};

}  // namespace chorus::test
