#include "client/interactive.hpp"

#include <boost/asio/basic_signal_set.hpp>
#include <csignal>
#include <deque>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <utility>

#include "client/backoff.hpp"
#include "client/conversation/conversation.hpp"
#include "client/display.hpp"
#include "client/line_editor.hpp"
#include "client/terminal_style.hpp"
#include "protocol/json_dialect.hpp"
#include "support/task_group.hpp"

namespace chorus {

namespace {

/// Unlike that of any other client in the room.
std::string make_id_prefix() { return fmt::format("{:08x}-", std::random_device()()); }

class terminal_session {
 public:
  terminal_session(executor ex, client_options options)
      : executor_(ex),
        options_(std::move(options)),
        editor_(ex, "> "),
        more_(ex),
        pause_(ex),
        signals_(ex, SIGINT, SIGTERM),
        tasks_(ex),
        sender_(ex) {
    if (options_.request.subprotocol.empty()) options_.request.subprotocol = json_dialect::subprotocol;
  }

  awaitable<exit_code> run() {
    tasks_.spawn(read_lines());
    tasks_.spawn(leave_on_signal());
    exit_reason last{exit_code::clean, {}};
    while (!leaving_) {
      last = co_await connect_and_talk();
      if (leaving_ || input_ended_ || !options_.reconnect) break;
      co_await pause(last.why);
    }
    editor_.end();
    tasks_.cancel();
    co_await tasks_.join();
    for (auto const& text : talk_.unsent()) editor_.print_above("chorus-client: not sent: " + displayable(text));
    editor_.print_above(leaving_ ? "Connection closed. Goodbye!" : "chorus-client: " + last.why);
    co_return leaving_ ? exit_code::clean : last.code;
  }

 private:
  awaitable<exit_reason> connect_and_talk() {
    connection_.emplace(executor_);
    auto url = options_.url;
    url.path = talk_.resume(std::move(url.path));
    auto const opened = co_await connection_->open(std::move(url), options_.request);
    auto last = exit_reason_of(opened, options_.url);
    if (opened.ok() && !leaving_) {
      is_open_ = true;
      act(talk_.opened(opened.subprotocol));
      sender_.spawn(send_loop());
      last = co_await receive();
      is_open_ = false;
      sender_.cancel();
      co_await sender_.join();
      outgoing_.clear();
      talk_.lost();
    }
    co_return last;
  }

  awaitable<exit_reason> receive() {
    for (;;) {
      auto const next = co_await connection_->receive();
      if (next.what == incoming::kind::text) {
        backoff_.reset();
        act(talk_.received(next.data));
      } else if (next.what != incoming::kind::binary) {
        co_return exit_reason_of(next);
      }
    }
  }

  /// Sends what there is to send; says goodbye when that was all and the user wants to leave.
  awaitable<void> send_loop() {
    for (;;) {
      while (!outgoing_.empty()) {
        auto next = std::move(outgoing_.front());
        outgoing_.pop_front();
        co_await connection_->send_text(std::move(next));
      }
      if (input_ended_) break;
      co_await more_.wait();
    }
    co_await leave();
  }

  awaitable<void> read_lines() {
    while (!input_ended_) {
      auto const line = co_await editor_.read_line();
      if (line) act(talk_.typed(*line));
      if (!line) input_ended_ = true;
    }
    more_.set();
    if (!is_open_) co_await leave();
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

  void act(reaction now) {
    for (auto const& line : now.show) editor_.print_above(styled(line, color_));
    for (auto& text : now.send) outgoing_.push_back(std::move(text));
    if (now.leave) input_ended_ = true;
    more_.set();
  }

  executor executor_;
  client_options options_;
  line_editor editor_;
  std::optional<connection> connection_;
  conversation talk_{make_id_prefix()};
  std::deque<std::string> outgoing_;
  auto_reset_event more_;  ///< there is something to send, or the input has ended
  backoff backoff_;
  std::minstd_rand random_{std::random_device()()};
  timer pause_;
  net::basic_signal_set<executor> signals_;
  task_group tasks_;
  task_group sender_;
  bool const color_ = wants_color();
  bool is_open_ = false;
  bool input_ended_ = false;
  bool leaving_ = false;
};

}  // namespace

awaitable<exit_code> run_interactive(executor ex, client_options options) {
  terminal_session session(ex, std::move(options));
  co_return co_await session.run();
}

}  // namespace chorus
