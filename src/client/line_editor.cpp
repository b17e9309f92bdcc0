#include "client/line_editor.hpp"

// Readline's headers need FILE.
#include <stdio.h>
//
#include <cassert>
#include <cstdlib>
#include <readline/history.h>
#include <readline/readline.h>
#include <unistd.h>
#include <utility>

namespace chorus {

namespace {

/// Readline calls back without a context.
line_editor* active = nullptr;

}  // namespace

line_editor::line_editor(executor ex, char const* prompt) : input_(ex, ::dup(STDIN_FILENO)) {
  assert(active == nullptr);
  active = this;
  rl_catch_signals = 0;  // they are the program's
  rl_bind_key('\t', rl_insert);
  rl_variable_bind("enable-bracketed-paste", "off");
  using_history();
  rl_callback_handler_install(prompt, on_line);
  is_editing_ = true;
}

line_editor::~line_editor() {
  end();
  active = nullptr;
}

awaitable<std::optional<std::string>> line_editor::read_line() {
  while (lines_.empty() && !input_ended_) {
    co_await input_.async_wait(net::posix::descriptor_base::wait_read, use_awaitable);
    rl_callback_read_char();
  }
  std::optional<std::string> line;
  if (!lines_.empty()) {
    line = std::move(lines_.front());
    lines_.pop_front();
  }
  co_return line;
}

void line_editor::print_above(std::string const& text) {
  if (is_editing_) rl_clear_visible_line();
  std::fputs((text + "\n").c_str(), stdout);
  std::fflush(stdout);
  if (!is_editing_) return;
  rl_on_new_line();
  rl_redisplay();
}

void line_editor::end() {
  if (!std::exchange(is_editing_, false)) return;
  rl_clear_visible_line();
  rl_callback_handler_remove();
}

void line_editor::on_line(char* line) {
  if (line == nullptr) {
    active->input_ended_ = true;
    return;
  }
  if (*line != '\0') add_history(line);
  active->lines_.emplace_back(line);
  std::free(line);
}

}  // namespace chorus
