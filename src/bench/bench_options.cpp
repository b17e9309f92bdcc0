#include "bench/bench_options.hpp"

#include <fmt/format.h>
#include <range/v3/algorithm/find.hpp>
#include <range/v3/range/conversion.hpp>
#include <sstream>
#include <vector>

#include "bench/option_set.hpp"

namespace chorus::bench {

namespace {

namespace po = boost::program_options;

struct command_text {
  command what;
  char const* name;
  char const* summary;
};

constexpr command_text commands[] = {
    {command::fanout, "fanout", "messages to many receivers: CPU per delivery, deliveries per second, latency"},
    {command::connect, "connect",
     "connections per second, CPU per connection, handshake latency: for new ones, and once more"},
    {command::idle, "idle", "memory and CPU that connections cost which do nothing (needs --server-pid)"},
    {command::stalled, "stalled", "some receivers stop reading: what do the others feel, what does the server keep?"},
    {command::churn, "churn", "peers join and leave all the time: what do those feel who stay?"},
    {command::storm, "storm", "all connect, talk and leave at once: how long does the server answer nobody?"},
};

constexpr char const* usage =
    "Usage: chorus-bench COMMAND [options] [ws://HOST:PORT/PATH]\n"
    "Measures a WebSocket chat server, and checks that every receiver gets every message exactly once and in the same\n"
    "order. Any server will do that sends each text it gets to all who are connected, whatever it puts around it.\n"
    "Without a URL it is ws://127.0.0.1:8080/chat.\n\n";
constexpr char const* see_command = "\nchorus-bench COMMAND --help shows the options of a command.\n";
constexpr char const* example =
    "\nExample, with the server on one core and the generator on another:\n"
    "  taskset -c 0 chorus-server &\n"
    "  chorus-bench fanout --in-flight 32 --server-pid $! --cpu 1\n"
    "\nExit codes: 0 all is well, 1 the server failed a check or cannot be reached, 2 wrong usage.\n";

std::string list_of_commands() {
  std::string lines = "Commands:\n";
  for (auto const& c : commands) lines += fmt::format("  {:<9}{}\n", c.name, c.summary);
  return lines;
}

po::variables_map read(std::span<char const* const> arguments, po::options_description const& visible) {
  po::options_description known;
  known.add(visible).add_options()("url", po::value<std::string>()->default_value("ws://127.0.0.1:8080/chat"));
  po::positional_options_description positional;
  positional.add("url", 1);
  using style = po::command_line_style::style_t;
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments | ranges::to<std::vector<std::string>>())
                  .options(known)
                  .positional(positional)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              given);
  } catch (po::error const& e) {
    throw bench_usage_error(std::string(e.what()) + "; see --help");
  }
  return given;
}

/// What options are when they are not given because of others.
void complete(bench_options& o) {
  if (o.at_once == 0) o.at_once = o.connections;
  if (o.what == command::storm) o.senders = o.connections;
}

/// What no single option can know.
void check(bench_options const& o) {
  if (o.what == command::idle && !o.server_pid) throw bench_usage_error("idle measures a process: add --server-pid");
  if (o.receivers == 0) return;
  if (o.senders > o.receivers) throw bench_usage_error("--senders: there are not so many --receivers");
  auto const stalled = o.stalled_receivers();
  if (o.what == command::stalled && (stalled == 0 || stalled + o.senders > o.receivers))
    throw bench_usage_error("--stalled: with so many --receivers and --senders that is nobody, or too many");
}

}  // namespace

std::string to_string(command what) { return ranges::find(commands, what, &command_text::what)->name; }

bench_options parse_bench_options(std::span<char const* const> arguments) {
  bench_options result;
  auto const first = arguments.empty() ? std::string_view("--help") : std::string_view(arguments.front());
  if (first == "--version") {
    result.answer = "chorus-bench " CHORUS_VERSION "\n";
    return result;
  }
  if (first == "--help") {
    result.answer = std::string(usage) + list_of_commands() + see_command + example;
    return result;
  }
  auto const* const named = ranges::find(commands, first, &command_text::name);
  if (named == std::end(commands))
    throw bench_usage_error(fmt::format("'{}' is no command\n{}", first, list_of_commands()));
  result.what = named->what;
  option_set const options(named->what, result);
  auto const given = read(arguments.subspan(1), options.visible());
  if (given.count("help") != 0) {
    std::ostringstream text;
    text << "Usage: chorus-bench " << named->name << " [options] [ws://HOST:PORT/PATH]\n"
         << named->summary << "\n\n"
         << options.visible() << example;
    result.answer = text.str();
    return result;
  }
  options.apply(given);
  try {
    result.to = parse_url(given["url"].as<std::string>());
  } catch (std::invalid_argument const& e) {
    throw bench_usage_error(e.what());
  }
  result.json = given.count("json") != 0;
  result.own_host = given.count("i-own-this-host") != 0;
  if (given.count("rate") != 0 && given.count("in-flight") != 0 && !given["in-flight"].defaulted())
    throw bench_usage_error("--in-flight is a closed loop, --rate an open one: choose one");
  complete(result);
  check(result);
  return result;
}

}  // namespace chorus::bench
