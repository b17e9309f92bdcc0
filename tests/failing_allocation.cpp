#include "failing_allocation.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

/// From the environment, when this is loaded into a program.
std::size_t size_in_environment() {
  auto const* const text = std::getenv("FAILING_ALLOCATION");
  return text == nullptr ? 0 : std::strtoul(text, nullptr, 10);
}

std::atomic<std::size_t> failing_size = size_in_environment();

}  // namespace

// The sanitizers of Clang bring their own, and do not let it be replaced.
#ifndef SANITIZED_BY_CLANG

void* operator new(std::size_t bytes) {
  if (bytes == failing_size && bytes != 0) throw std::bad_alloc();
  if (auto* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif

namespace chorus::test {

failing_allocation::failing_allocation(std::size_t bytes) { failing_size = bytes; }
failing_allocation::~failing_allocation() { failing_size = 0; }

}  // namespace chorus::test
