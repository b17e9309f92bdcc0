#pragma once
// When something that grows has stopped growing.

#include <cstdint>

namespace chorus {

/// For those who wait until others have said what they have to say, turn by turn of the executor. A pure state machine:
///
///     for (quiescence calm(size); calm.is_awaited(turns); calm.see(size)) co_await let_others_run(ex);
class quiescence {
 public:
  /// Turns in which nothing must come where somebody speaks. A read loop needs two to three turns per message that is
  /// already here (Beast completes a buffered read by posting): with fewer, nothing ever batches. Who comes or goes
  /// needs a handshake for it: there it is one turn.
  static constexpr int turns_of_speech = 4;
  static constexpr int turns_of_presence = 1;
  /// Turns after which it is over even if there is more: bounds the latency that batching may cost.
  static constexpr int max_turns = 64;

  explicit quiescence(std::uint64_t size) : seen_(size) {}

  /// It has not been quiet for so many turns.
  bool is_awaited(int quiet_turns) const { return quiet_ < quiet_turns && turns_ != max_turns; }

  /// A turn has passed, and that is what there is.
  void see(std::uint64_t size) {
    quiet_ = size == seen_ ? quiet_ + 1 : 0;
    seen_ = size;
    ++turns_;
  }

 private:
  std::uint64_t seen_;
  int quiet_ = 0;
  int turns_ = 0;
};

}  // namespace chorus
