#include "client/piped.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "client/conversation/own_commands.hpp"
#include "client/display.hpp"
#include "client/own_messages.hpp"
#include "protocol/json_dialect.hpp"
#include "support/task_group.hpp"

namespace chorus {

namespace {

/// Every line is a text, and every message that comes as well.
struct text_pipe {
  using ledger = own_messages;
  static constexpr std::string_view subprotocol = {};
  static std::string line(std::string_view message) { return displayable(message); }
};

/// Every line is a command, and every message an event.
struct json_pipe {
  using ledger = own_commands;
  static constexpr std::string_view subprotocol = json_dialect::subprotocol;
  static std::string line(std::string_view message) { return displayable_json(message); }
};

using descriptor = net::posix::basic_stream_descriptor<executor>;

template <class Kind>
class pipe_session {
 public:
  pipe_session(executor ex, client_options options)
      : options_(std::move(options)), connection_(ex), input_(ex, ::dup(STDIN_FILENO)), linger_(ex), tasks_(ex) {
    if (!Kind::subprotocol.empty()) options_.request.subprotocol = Kind::subprotocol;
  }

  awaitable<exit_code> run() {
    auto const opened = co_await connection_.open(options_.url, options_.request);
    auto result = exit_reason_of(opened, options_.url);
    if (opened.ok() && !Kind::subprotocol.empty() && opened.subprotocol != Kind::subprotocol) {
      result.why = fmt::format("the server does not speak {}", Kind::subprotocol);
    } else if (opened.ok()) {
      tasks_.spawn(send_input());
      result = co_await receive();
      tasks_.cancel();
      co_await tasks_.join();
    }
    if (result.code != exit_code::clean) fmt::print(stderr, "chorus-client: {}\n", result.why);
    co_return result.code;
  }

 private:
  awaitable<exit_reason> receive() {
    for (;;) {
      auto const next = co_await connection_.receive();
      if (next.what == incoming::kind::text) {
        print(Kind::line(next.data));
        own_.came_back(next.data);
        if (input_ended_ && own_.all_came_back()) linger_.cancel();
      } else if (next.what != incoming::kind::binary) {
        exit_reason last = exit_reason_of(next);
        if (leaving_) last.code = exit_code::clean;
        co_return last;
      }
    }
  }

  awaitable<void> send_input() {
    std::string buffer;
    for (;;) {
      auto const [ec, size] = co_await net::async_read_until(input_, net::dynamic_buffer(buffer), '\n', nothrow);
      if (ec && buffer.empty()) break;
      auto const end = ec ? buffer.size() : size - 1;
      auto line = buffer.substr(0, end);
      buffer.erase(0, ec ? end : size);
      own_.sent(line);
      auto const failed = co_await connection_.send_text(std::move(line));
      if (failed) co_return;
    }
    input_ended_ = true;
    if (!own_.all_came_back()) {
      linger_.expires_after(options_.linger);
      co_await linger_.async_wait(nothrow);
    }
    leaving_ = true;
    co_await connection_.close(normal_closure, "");
  }

  static void print(std::string const& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  }

  client_options options_;
  connection connection_;
  descriptor input_;
  timer linger_;
  typename Kind::ledger own_;
  task_group tasks_;
  bool input_ended_ = false;
  bool leaving_ = false;
};

template <class Kind>
awaitable<exit_code> run(executor ex, client_options options) {
  pipe_session<Kind> session(ex, std::move(options));
  co_return co_await session.run();
}

}  // namespace

awaitable<exit_code> run_piped(executor ex, client_options options) {
  if (options.json) co_return co_await run<json_pipe>(ex, std::move(options));
  co_return co_await run<text_pipe>(ex, std::move(options));
}

}  // namespace chorus
