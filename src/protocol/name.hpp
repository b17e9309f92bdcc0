#pragma once
// Which names members may have, and when two are the same.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace chorus {

/// In code points.
inline constexpr std::size_t max_name_length = 32;

/// What `normalize_name` accepts, for people.
inline constexpr std::string_view name_rules =
    "A name has 1 to 32 characters, no control or format characters, no brackets, no white space at its ends, and is "
    "neither chorus nor user0, user1, ...";

/// The name in Unicode's Normalization Form C; nothing if it breaks the rules or is not UTF-8. So a label `[name]: `
/// cannot be forged: not by brackets, nor by characters that do not show or change the direction of others.
std::optional<std::string> normalize_name(std::string_view name);

/// True for `user0`, `user1`, ...: only the server gives these, to those who ask for no name.
bool is_given_name(std::string_view name);

/// Names are the same if their keys are: after case folding and NFC, without what does not show. Of valid UTF-8.
std::string name_key(std::string_view name);

/// The name with a number behind it, `bob-2`, cut before that so that it stays a name.
std::string numbered_name(std::string_view name, std::size_t number);

}  // namespace chorus
