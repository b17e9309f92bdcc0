#include "client/interactive.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/asio/basic_signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <fmt/color.h>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <utility>

#include "client/backoff.hpp"
#include "client/display.hpp"
#include "client/line_editor.hpp"
#include "client/own_messages.hpp"
#include "support/task_group.hpp"

namespace chorus {

namespace {

constexpr std::uint16_t normal_closure = 1000;

/// https://no-color.org, and terminals that cannot.
bool wants_color() {
  auto const* const no_color = std::getenv("NO_COLOR");
  auto const* const terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && terminal != nullptr && std::string_view(terminal) != "dumb";
}

class terminal_session {
 public:
  terminal_session(executor ex, client_options options)
      : executor_(ex),
        options_(std::move(options)),
        editor_(ex, "> "),
        pause_(ex),
        signals_(ex, SIGINT, SIGTERM),
        tasks_(ex) {}

  awaitable<exit_code> run() {
    tasks_.spawn(read_lines());
    tasks_.spawn(leave_on_signal());
    ending last{exit_code::clean, {}};
    while (!leaving_) {
      last = co_await connect_and_talk();
      if (leaving_ || !options_.reconnect) break;
      co_await pause(last.why);
    }
    editor_.end();
    tasks_.cancel();
    co_await tasks_.join();
    editor_.print_above(leaving_ ? "Connection closed. Goodbye!" : "chorus-client: " + last.why);
    co_return leaving_ ? exit_code::clean : last.code;
  }

 private:
  awaitable<ending> connect_and_talk() {
    connection_.emplace(executor_);
    own_ = {};
    auto const opened = co_await connection_->open(options_.url, options_.request);
    auto last = ending_of(opened, options_.url);
    if (opened.ok() && !leaving_) {
      is_open_ = true;
      last = co_await receive();
      is_open_ = false;
    }
    co_return last;
  }

  awaitable<ending> receive() {
    for (;;) {
      auto const next = co_await connection_->receive();
      if (next.what == incoming::kind::text) {
        backoff_.reset();
        show(next.data);
      } else if (next.what != incoming::kind::binary) {
        co_return ending_of(next);
      }
    }
  }

  awaitable<void> read_lines() {
    for (;;) {
      auto line = co_await editor_.read_line();
      if (!line || boost::algorithm::iequals(*line, "exit")) break;
      if (line->empty()) continue;
      if (!is_open_) {
        editor_.print_above("chorus-client: not connected; this was not sent: " + displayable(*line));
        continue;
      }
      own_.sent(*line);
      auto text = std::move(*line);
      co_await connection_->send_text(std::move(text));
    }
    co_await leave();
  }

  awaitable<void> leave_on_signal() {
    co_await signals_.async_wait(use_awaitable);
    co_await leave();
  }

  /// The `receive` under way ends with the closing handshake.
  awaitable<void> leave() {
    if (std::exchange(leaving_, true)) co_return;
    pause_.cancel();
    if (is_open_) {
      co_await connection_->close(normal_closure, "");
    } else {
      connection_->drop();
    }
  }

  awaitable<void> pause(std::string const& why) {
    auto const delay = backoff_.next(random_);
    editor_.print_above(
        fmt::format("chorus-client: {}; trying again in {:.1f} s", why, std::chrono::duration<double>(delay).count()));
    pause_.expires_after(delay);
    co_await pause_.async_wait(nothrow);
  }

  void show(std::string const& message) {
    own_.came_back(message);
    auto const label = parse_label(message);
    if (!color_ || !label || label->name != own_.name()) return editor_.print_above(displayable(message));
    auto const name =
        fmt::format(fmt::emphasis::bold | fmt::fg(fmt::terminal_color::cyan), "[{}]", displayable(label->name));
    editor_.print_above(name + ": " + displayable(label->text));
  }

  executor executor_;
  client_options options_;
  line_editor editor_;
  std::optional<connection> connection_;
  own_messages own_;
  backoff backoff_;
  std::minstd_rand random_{std::random_device()()};
  timer pause_;
  net::basic_signal_set<executor> signals_;
  task_group tasks_;
  bool const color_ = wants_color();
  bool is_open_ = false;
  bool leaving_ = false;
};

}  // namespace

awaitable<exit_code> run_interactive(executor ex, client_options options) {
  terminal_session session(ex, std::move(options));
  co_return co_await session.run();
}

}  // namespace chorus
