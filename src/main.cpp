// chorus-server: options in, signals to stop, exit code out.

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/co_spawn.hpp>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

#include "server/address.hpp"
#include "server/event_loop.hpp"
#include "server/options.hpp"
#include "server/server.hpp"

namespace {

using namespace chorus;

/// So that no socket becomes standard output, and gets the log, if the program is started without one.
void reserve_standard_descriptors() {
  while (true) {
    auto const lowest_free = ::open("/dev/null", O_RDWR);
    if (lowest_free <= STDERR_FILENO) continue;
    ::close(lowest_free);
    return;
  }
}

/// One connection is one descriptor, and the usual soft limit is 1024.
void raise_descriptor_limit(settings const& chosen, logger& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < chosen.max_connections + capacity::spare)
    log.warn("few_descriptors", {{"allowed", limit.rlim_max}, {"needed", chosen.max_connections + capacity::spare}});
}

/// From here on the program only exits, and a signal that comes late must not change its exit code.
void block_signals() {
  sigset_t stopping{};
  sigemptyset(&stopping);
  sigaddset(&stopping, SIGINT);
  sigaddset(&stopping, SIGTERM);
  sigaddset(&stopping, SIGHUP);
  sigprocmask(SIG_BLOCK, &stopping, nullptr);
}

using signal_set = net::basic_signal_set<executor>;

/// The first signal asks for a stop in good order, the second for one at once.
awaitable<void> stop_on_signals(signal_set& signals, server& running) {
  co_await signals.async_wait(use_awaitable);
  running.stop();
  co_await signals.async_wait(use_awaitable);
  running.abort();
}

awaitable<void> reload_on_signals(signal_set& signals, server& running) {
  for (;;) {
    co_await signals.async_wait(use_awaitable);
    running.reload();
  }
}

void rethrow(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
}

awaitable<void> serve(signal_set& stopping, signal_set& reloading, server& running, task_group& watchers) {
  watchers.spawn(stop_on_signals(stopping, running));
  watchers.spawn(reload_on_signals(reloading, running));
  co_await running.run();
  watchers.cancel();
  co_await watchers.join();
}

void run(options const& chosen) {
  auto const log =
      std::make_shared<logger>(standard_output(chosen.format), chosen.format, chosen.log_level, chosen.log_limit);
  net::io_context io(1);
  // Before anyone can know that the server is there: a signal that comes early waits.
  signal_set stopping(io, SIGINT, SIGTERM);
  signal_set reloading(io, SIGHUP);
  server running(io.get_executor(), chosen.server, log, service_manager(cli::current_environment()));
  raise_descriptor_limit(chosen.server, *log);
  log->info("listening", {{"message", "Responding at http://" + to_string(running.local_endpoint())}});
  if (auto const at = running.tls_endpoint())
    log->info("listening", {{"message", "Responding at https://" + to_string(*at)}});
  if (auto const at = running.admin_address()) log->info("listening", {{"message", "Metrics at " + to_string(*at)}});

  task_group watchers(io.get_executor());
  net::co_spawn(io, serve(stopping, reloading, running, watchers), rethrow);
  run_turns(io, chosen.server.slow_turn, *log);
  log->info("stopped");
  block_signals();
  rethrow(running.failure());
}

}  // namespace

int main(int argc, char* argv[]) {
  std::signal(SIGPIPE, SIG_IGN);
  reserve_standard_descriptors();
  return cli::run(
      "chorus-server", [&] { return parse_options({argv + 1, argv + argc}, cli::current_environment()); },
      [](options const& chosen) {
        if (chosen.only_check) {
          // What would not do throws.
          if (chosen.server.tls_address) server_tls(chosen.server.tls);
          fmt::print("chorus-server: the configuration is good\n");
        } else {
          run(chosen);
        }
        return cli::success;
      });
}
