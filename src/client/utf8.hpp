#pragma once
// Text in UTF-8 (RFC 3629), character by character.

#include <optional>
#include <string>
#include <string_view>

namespace chorus {

struct character {
  std::string_view bytes;
  std::optional<char32_t> code_point;  ///< nothing if this is one byte that is not UTF-8
};

/// `text` is not empty, and outlives the result.
character first_character(std::string_view text);

bool is_utf8(std::string_view text);

/// One wide character for each. Throws std::out_of_range if `text` is not UTF-8.
std::wstring widen(std::string_view text);
std::string narrow(std::wstring_view text);

}  // namespace chorus
