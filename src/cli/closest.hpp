#pragma once
// "Did you mean ...?"

#include <string_view>
#include <vector>

namespace chorus::cli {

/// The one of `all` that `word` is probably meant to be; empty if there is none.
std::string_view closest(std::string_view word, std::vector<std::string_view> const& all);

}  // namespace chorus::cli
