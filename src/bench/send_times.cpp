#include "bench/send_times.hpp"

#include <bit>

namespace chorus::bench {

namespace {

constexpr std::size_t block_of(std::uint32_t number) { return static_cast<std::size_t>(std::bit_width(number)); }
constexpr std::size_t first_in(std::size_t block) { return block == 0 ? 0 : std::size_t{1} << (block - 1); }
constexpr std::size_t size_of(std::size_t block) { return first_in(block + 1) - first_in(block); }

static_assert(std::atomic<clock::time_point>::is_always_lock_free);
static_assert(block_of(99'999'999) == 27);
static_assert(first_in(block_of(5)) == 4 && size_of(block_of(5)) == 4 && size_of(0) == 1);

}  // namespace

send_times::sender::~sender() {
  for (auto const& block : blocks) delete[] block.load(std::memory_order_relaxed);
}

void send_times::record(message_id id, clock::time_point at) {
  auto const index = block_of(id.number);
  auto& block = senders_[id.sender].blocks[index];
  auto* times = block.load(std::memory_order_relaxed);
  if (times == nullptr) {
    times = new instant[size_of(index)]();
    block.store(times, std::memory_order_release);
  }
  times[id.number - first_in(index)].store(at, std::memory_order_relaxed);
}

clock::time_point send_times::at(message_id id) const {
  auto const index = block_of(id.number);
  if (id.sender >= senders_.size() || index >= senders_[id.sender].blocks.size()) return never;
  auto const* const times = senders_[id.sender].blocks[index].load(std::memory_order_acquire);
  if (times == nullptr) return never;
  return times[id.number - first_in(index)].load(std::memory_order_relaxed);
}

}  // namespace chorus::bench
