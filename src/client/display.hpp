#pragma once
// Text from others is data: it is shown, never obeyed.

#include <string>
#include <string_view>

namespace chorus {

/// The text as one harmless line. Control characters become visible symbols (escape is `␛`, a line break `␊`), so no
/// escape sequence reaches a terminal and nobody can fake another one's line; characters that change the direction of
/// text, C1 controls, separators of lines and bytes that are not UTF-8 become `\ufffd`. Tabs stay.
std::string displayable(std::string_view text);

/// A JSON text as one harmless line with the same value: what `displayable` would replace is escaped, as in `\u009b`.
std::string displayable_json(std::string_view text);

}  // namespace chorus
