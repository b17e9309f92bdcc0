#pragma once
// How lines look on a terminal.

#include <string>

#include "client/conversation/conversation.hpp"

namespace chorus {

/// False where colors are not wanted (https://no-color.org) or the terminal cannot.
bool wants_color();

/// The line as it is written: harmless, whatever is in it, and in color if `color` is true.
std::string styled(shown_line const& line, bool color);

}  // namespace chorus
