// chorus-server: options in, signals to stop, exit code out.

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/co_spawn.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

#include "logging.hpp"
#include "options.hpp"
#include "server/address.hpp"
#include "server/server.hpp"

namespace {

using namespace chorus;

constexpr int failure = 1;
constexpr int bad_usage = 2;

environment read_environ() {
  environment variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view const text(*variable);
    auto const equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

/// One connection is one descriptor, and the usual soft limit is 1024.
void raise_descriptor_limit(settings const& chosen, spdlog::logger& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < chosen.max_connections)
    log.warn("the system allows {} open files, fewer than --max-connections {}", limit.rlim_max,
             chosen.max_connections);
}

/// The first signal asks for a stop in good order, the second for one at once.
awaitable<void> stop_on_signals(executor ex, server& running) {
  net::basic_signal_set<executor> signals(ex, SIGINT, SIGTERM);
  co_await signals.async_wait(use_awaitable);
  running.stop();
  co_await signals.async_wait(use_awaitable);
  running.abort();
}

awaitable<void> serve(executor ex, server& running, task_group& watchers) {
  watchers.spawn(stop_on_signals(ex, running));
  co_await running.run();
  watchers.cancel();
  co_await watchers.join();
}

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

void run(options const& chosen) {
  std::signal(SIGPIPE, SIG_IGN);
  auto const log = make_logger(chosen.log_level, chosen.format);
  raise_descriptor_limit(chosen.server, *log);

  net::io_context io(1);
  server running(io.get_executor(), chosen.server, log);
  task_group watchers(io.get_executor(), rethrow);
  log->info("Responding at http://{}", to_string(running.local_endpoint()));
  net::co_spawn(io, serve(io.get_executor(), running, watchers), rethrow);
  io.run();
  log->info("stopped");
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    auto const chosen = parse_options({argv + 1, argv + argc}, read_environ());
    if (chosen.answer.empty()) {
      run(chosen);
    } else {
      fmt::print("{}", chosen.answer);
    }
    return 0;
  } catch (usage_error const& e) {
    fmt::print(stderr, "chorus-server: {}\n", e.what());
    return bad_usage;
  } catch (std::exception const& e) {
    fmt::print(stderr, "chorus-server: {}\n", e.what());
    return failure;
  }
}
