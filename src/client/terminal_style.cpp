#include "client/terminal_style.hpp"

#include <cstdlib>
#include <fmt/color.h>
#include <fmt/format.h>

#include "client/display.hpp"

namespace chorus {

namespace {

auto const own_style = fmt::emphasis::bold | fmt::fg(fmt::terminal_color::cyan);
auto const notice_style = fmt::fg(fmt::terminal_color::bright_black);

}  // namespace

bool wants_color() {
  auto const* const no_color = std::getenv("NO_COLOR");
  auto const* const terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string styled(shown_line const& line, bool color) {
  auto const in = [color](fmt::text_style style, std::string const& text) {
    return color ? fmt::format(style, "{}", text) : text;
  };
  auto text = displayable(line.text);
  auto const label = "[" + displayable(line.name) + "]";
  switch (line.what) {
    case shown_line::kind::message: return label + ": " + text;
    case shown_line::kind::own_message: return in(own_style, label) + ": " + text;
    case shown_line::kind::notice: return in(notice_style, "-- " + text);
    case shown_line::kind::text: break;
  }
  return text;
}

}  // namespace chorus
