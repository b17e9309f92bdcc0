#pragma once
// Which message is which, when several are expected in any order.

#include <cstddef>
#include <utility>
#include <vector>

namespace chorus::script {

/// Gives every message one of the matchers that fit it, no matcher twice. Earlier messages change theirs if a later one
/// needs it, so the order of matchers in a script does not matter.
class assignment {
 public:
  static constexpr auto nobody = static_cast<std::size_t>(-1);

  explicit assignment(std::size_t matchers) : owners_(matchers, nobody) {}

  /// `fits` are the matchers that fit the next message. False if there is none left for it.
  bool add(std::vector<std::size_t> fits) {
    fits_.push_back(std::move(fits));
    std::vector<bool> seen(owners_.size());
    return place(fits_.size() - 1, seen);
  }

  /// The message that has each matcher, or `nobody`.
  std::vector<std::size_t> const& owners() const { return owners_; }

 private:
  bool place(std::size_t one, std::vector<bool>& seen) {
    for (auto const matcher : fits_[one]) {
      if (seen[matcher]) continue;
      seen[matcher] = true;
      if (owners_[matcher] != nobody && !place(owners_[matcher], seen)) continue;
      owners_[matcher] = one;
      return true;
    }
    return false;
  }

  std::vector<std::vector<std::size_t>> fits_;
  std::vector<std::size_t> owners_;
};

}  // namespace chorus::script
