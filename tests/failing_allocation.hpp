#pragma once
// Memory that runs out at the right moment.

#include <boost/test/unit_test.hpp>
#include <cstddef>

#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED_BY_CLANG
#endif
#endif

namespace chorus::test {

/// For a test that needs it: `BOOST_AUTO_TEST_CASE(name, *boost::unit_test::precondition(memory_can_fail))`.
inline boost::test_tools::assertion_result memory_can_fail(boost::unit_test::test_unit_id) {
#ifdef SANITIZED_BY_CLANG
  return false;
#else
  return true;
#endif
}

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
