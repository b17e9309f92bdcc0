#include "bench/preparation.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <range/v3/algorithm/find_if_not.hpp>
#include <sched.h>
#include <stdexcept>
#include <sys/resource.h>
#include <utility>

#include "cli/exit_code.hpp"

namespace chorus::bench {

target resolve(websocket_url url, bool only_loopback) {
  net::io_context io;
  net::ip::basic_resolver<tcp, executor> resolver(io.get_executor());
  error_code ec;
  auto const found = resolver.resolve(url.host, url.port, ec);
  if (ec) throw cli::usage_error(fmt::format("there is no host '{}': {}", url.host, ec.message()));
  auto const foreign = ranges::find_if_not(found, [](auto const& e) { return e.endpoint().address().is_loopback(); });
  if (only_loopback && foreign != found.end())
    throw cli::usage_error(fmt::format(
        "{} is not this machine ({}). A load test can do harm; if that server is your own, say --i-own-this-host",
        url.host, foreign->endpoint().address().to_string()));
  // An IPv4 address first: servers that listen on 0.0.0.0 are not to be found at ::1, which `localhost` may be too.
  for (auto const& entry : found)
    if (entry.endpoint().address().is_v4()) return {std::move(url), entry.endpoint()};
  return {std::move(url), found.begin()->endpoint()};
}

std::vector<target> rooms_of(target const& server, std::size_t rooms) {
  if (rooms == 0) return {server};
  auto const& whole = server.url.path;
  auto const path = whole.substr(0, whole.find('?'));
  auto const query = whole.substr(path.size());
  auto const* const slash = path.ends_with('/') ? "" : "/";
  std::vector<target> found(rooms, server);
  for (std::size_t i = 0; i != rooms; ++i) found[i].url.path = fmt::format("{}{}room{}{}", path, slash, i, query);
  return found;
}

void allow_connections(std::size_t connections) {
  constexpr std::size_t others = 32;  // standard streams, epoll, what libraries open
  auto const needed = connections + others;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_max < needed || ::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    throw std::runtime_error(fmt::format("{} connections need {} open files, but the limit is {}; see `ulimit -Hn`",
                                         connections, needed, limit.rlim_max));
}

void pin_to_cpu(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    throw cli::usage_error(fmt::format("--cpu: cannot run on core {}: {}", cpu, std::strerror(errno)));
}

}  // namespace chorus::bench
