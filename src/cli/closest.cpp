#include "cli/closest.hpp"

#include <algorithm>
#include <cstddef>

namespace chorus::cli {

namespace {

/// How many characters to add, leave out, replace or swap with their neighbour to get from one to the other (optimal
/// string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> least(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        least[i][j] = i + j;
        continue;
      }
      auto const change = least[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      least[i][j] = std::min({change, least[i - 1][j] + 1, least[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        least[i][j] = std::min(least[i][j], least[i - 2][j - 2] + 1);
    }
  }
  return least[a.size()][b.size()];
}

}  // namespace

std::string_view closest(std::string_view word, std::vector<std::string_view> const& all) {
  std::string_view best;
  auto least = word.size() / 3 + 2;
  for (auto const candidate : all) {
    auto const is_shortened = word.size() > 1 && candidate.starts_with(word);
    auto const changes = is_shortened ? 1 : distance(word, candidate);
    if (changes < least) {
      least = changes;
      best = candidate;
    }
  }
  return best;
}

}  // namespace chorus::cli
