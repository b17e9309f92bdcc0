#pragma once
// What the targets check with, whether assertions are on or not.

#include <cstdlib>
#include <string_view>
#include <utf8proc.h>

#include "protocol/name.hpp"

namespace chorus {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    utf8proc_int32_t point = 0;
    auto const size = utf8proc_iterate(reinterpret_cast<utf8proc_uint8_t const*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &point);
    if (size <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

inline bool is_normalized_name(std::string_view name) { return !name.empty() && normalize_name(name) == name; }

}  // namespace chorus
