// chorus-bench: measures a WebSocket chat server, and checks what it measures.

#include <boost/asio/co_spawn.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <fmt/format.h>
#include <memory>

#include "bench/commands.hpp"
#include "bench/progress.hpp"
#include "cli/exit_code.hpp"

namespace {

using namespace chorus;
using namespace chorus::bench;

struct outcome {
  report found;
  std::string failure;
};

awaitable<report> carry_out(run& r) {
  switch (r.options.what) {
    case command::fanout: return fanout(r);
    case command::connect: return connect(r);
    case command::idle: return idle(r);
    case command::stalled: return stalled(r);
    case command::churn: return churn(r);
    case command::storm: return storm(r);
  }
  throw std::logic_error("a command without a function");
}

/// Whatever happens, all connections are closed at the end.
awaitable<void> perform(run& r, outcome& result) {
  try {
    result.found = co_await carry_out(r);
  } catch (std::exception const& e) {
    result.failure = e.what();
  }
  work const disperse = [](crowd& people, std::size_t) { return people.disperse(); };
  co_await on_all(r.workers, disperse);
}

/// This thread is the first worker's.
void start_threads(run& r) {
  auto const& cores = r.options.cores;
  for (auto i = r.workers.size(); i-- != 0;) {
    // Threads inherit their core, so what is wrong with one is found out here.
    if (!cores.empty()) pin_to_cpu(cores[i]);
    if (i != 0) r.workers[i].start();
  }
}

outcome measure(bench_options const& options) {
  auto to = resolve(options.to, !options.own_host);
  to.json_dialect = options.json_dialect;
  if (options.to.secure) to.tls = std::make_shared<tls_context>(client_tls(options.trust));
  auto const probes = options.what == command::storm ? 1u : 0u;
  constexpr std::size_t files_of_thread = 3;  // epoll, a timer, an event
  allow_connections(options.receivers + options.connections + options.guests + probes +
                    files_of_thread * options.threads);
  run r(options, to);
  start_threads(r);
  progress_line progress(r);
  outcome result;
  net::co_spawn(r.get_executor(), perform(r, result), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  r.workers.front().run([&progress](clock::time_point now) { progress.update(now); });
  return result;
}

void print(bench_options const& options, outcome const& result) {
  if (options.json) {
    boost::json::object all{{"command", to_string(options.what)}, {"url", options.to.text()}};
    all["ok"] = result.failure.empty();
    if (!result.failure.empty()) all["error"] = result.failure;
    for (auto const& [key, value] : parameters(options).json()) all[key] = value;
    for (auto const& [key, value] : result.found.json()) all[key] = value;
    fmt::print("{}\n", boost::json::serialize(all));
  } else if (result.failure.empty()) {
    fmt::print("{} {}\n{}\n{}", to_string(options.what), options.to.text(), parameters(options).table(),
               result.found.table());
  }
  if (!result.failure.empty()) fmt::print(stderr, "chorus-bench: {}\n", result.failure);
}

}  // namespace

int main(int argc, char* argv[]) {
  return cli::run(
      "chorus-bench", [&] { return parse_bench_options({argv + 1, argv + argc}); },
      [](bench_options const& chosen) {
        auto const result = measure(chosen);
        print(chosen, result);
        return result.failure.empty() ? cli::success : cli::failure;
      });
}
