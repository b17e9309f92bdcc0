#include "bench/bench_options.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <range/v3/algorithm/contains.hpp>
#include <range/v3/algorithm/copy.hpp>
#include <range/v3/algorithm/find.hpp>
#include <vector>

#include "bench/stamp.hpp"
#include "cli/program.hpp"
#include "tls/trust_options.hpp"

namespace chorus::bench {

namespace {

constexpr std::size_t GiB = 1024 * 1024 * 1024;
constexpr std::size_t most_connections = 1'000'000;
constexpr std::size_t most_threads = 256;

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

/// A positive number, and what stands behind it. Both are nothing if there is none.
std::pair<double, std::string_view> parse_number(std::string_view text) {
  double value = 0;
  auto const end = text.data() + text.size();
  auto const [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || !(value > 0)) return {};
  return {value, {rest, static_cast<std::size_t>(end - rest)}};
}

double parse_rate(std::string_view text) {
  auto const [value, rest] = parse_number(text);
  if (value == 0 || value > 1e6 || !rest.empty())
    throw std::invalid_argument("expected a number of events per second, such as 100 or 0.5");
  return value;
}

double parse_share(std::string_view text) {
  auto const [value, rest] = parse_number(text);
  if (value > 90 || rest != "%") throw std::invalid_argument("expected a share from 1% to 90%");
  return value / 100;
}

/// As taskset takes them: "2,4-7".
std::vector<unsigned> parse_cores(std::string_view text) {
  constexpr unsigned last_core = 4095;
  std::vector<unsigned> cores;
  auto const end = text.data() + text.size();
  for (auto at = text.data();; ++at) {
    unsigned first = last_core + 1;
    at = std::from_chars(at, end, first).ptr;
    auto last = first;
    if (at != end && *at == '-') {
      last = last_core + 1;
      at = std::from_chars(at + 1, end, last).ptr;
    }
    if (first > last || last > last_core || (at != end && *at != ','))
      throw std::invalid_argument("expected cores from 0 to 4095, such as 1 or 2,4-7");
    for (auto core = first; core <= last; ++core) cores.push_back(core);
    if (at == end) return cores;
  }
}

/// All options of all commands: this table is the one place to add another.
cli::option_group options_of(command what, bench_options& to) {
  using namespace cli;
  using enum command;
  struct row {
    std::vector<command> of;
    option shown;
  };
  auto const connections = count(1, most_connections);
  auto const messages = count(1, most_messages);
  std::vector<command> const load = {fanout, stalled, churn};
  std::vector<command> const at_a_rate = {stalled, churn};
  std::vector<command> const all_but_storm = {fanout, connect, idle, stalled, churn};
  std::vector<command> const all = {fanout, connect, idle, stalled, churn, storm};
  row const table[] = {
      {{connect}, {"connections", "N", "2000", "how many to open", into(to.connections, connections)}},
      {{idle}, {"connections", "N", "5000", "how many to open", into(to.connections, connections)}},
      {{storm},
       {"connections", "N", "5000",
        "how many to open; the probe that measures the silence is one more, which the server has to allow",
        into(to.connections, count(1, most_senders))}},
      {{idle}, {"for", "TIME", "3s", "watch them that long", into(to.watch, parse_duration)}},
      {{storm},
       {"talk", "N", "1", "messages that each of them says, all at once; with 0 nobody says anything",
        into(to.talk, count(0, most_messages / most_senders))}},
      {load,
       {"receivers", "N", "1000", "connections that receive; the senders are among them",
        into(to.receivers, connections)}},
      {load,
       {"senders", "N", "1", "how many of them send; with --rooms, in each room",
        into(to.senders, count(1, most_senders))}},
      {{fanout, connect, idle},
       {"rooms", "N", "",
        "spread all evenly over so many rooms instead of one, which have the paths {path}/room0, {path}/room1, ...",
        into(to.rooms, count(1, most_senders))}},
      {{fanout},
       {"in-flight", "N", "32",
        "closed loop: each sender sends its next message when it has heard its own one that is N back",
        into(to.in_flight, count(1, 100'000))}},
      {{fanout},
       {"rate", "N", "",
        "open loop instead: so many messages per second of all senders together, come what may; latency counts from "
        "when a message should have been sent",
        into(to.rate, parse_rate)}},
      {at_a_rate,
       {"rate", "N", "100",
        "messages per second of all senders together; latency counts from when a message should have been sent",
        into(to.rate, parse_rate)}},
      {{fanout, stalled, churn, storm},
       {"size", "SIZE", "64", "bytes of a message", into(to.size, size(least_text_size, most_text_size))}},
      {{fanout},
       {"messages", "N", "2000", "messages of all senders together, in each measurement", into(to.messages, messages)}},
      {at_a_rate,
       {"messages", "N", "500", "messages of all senders together, in each measurement", into(to.messages, messages)}},
      {load,
       {"warm-up", "N", "64", "messages before the first measurement", into(to.warm_up, count(0, most_messages))}},
      {{stalled},
       {"stalled", "SHARE", "10%", "receivers that stop reading after the first half",
        into(to.stalled_share, parse_share)}},
      {{stalled},
       {"fill", "SIZE", "8MiB", "is sent before the second half, so that they are behind by more than sockets hold",
        into(to.fill, size(0, GiB))}},
      {{churn},
       {"churn", "N", "100", "connections that join per second, and as many that leave",
        into(to.churn_rate, parse_rate)}},
      {{churn}, {"guests", "N", "50", "how many of those are there at a time", into(to.guests, connections)}},
      {all_but_storm,
       {"at-once", "N", "32", "handshakes that are under way at a time, but at least one on each thread",
        into(to.at_once, connections)}},
      {{storm},
       {"at-once", "N", "", "handshakes that are under way at a time, instead of all", into(to.at_once, connections)}},
      {{fanout, connect, idle},
       {"threads", "N", "1",
        "spread the connections evenly over so many threads, none of which sleeps: each needs a core of its own",
        into(to.threads, count(1, most_threads))}},
      {all, {"json-dialect", "", "", "speak chorus.v1, and check the order by its `seq`, too", into(to.json_dialect)}},
      {all,
       {"server-pid", "PID", "", "measure what this process costs, which is to be the server",
        into(to.server_pid, count(1, std::numeric_limits<pid_t>::max()))}},
      {all,
       {"cpu", "LIST", "",
        "run on this core, counted from 0; better not the server's. With --threads, one core for each, such as 2,4-7",
        into(to.cores, parse_cores)}},
      {all, {"timeout", "TIME", "60s", "fail when a single stage takes longer", into(to.timeout, parse_duration)}},
      {all, {"json", "", "", "report as one JSON object", into(to.json)}},
      {all, {"i-own-this-host", "", "", "allow a target that is not this machine", into(to.own_host)}},
  };
  option_group found{"Options", {}};
  for (auto const& [of, shown] : table)
    if (ranges::contains(of, what)) found.options.push_back(shown);
  ranges::copy(trust_options(to.trust), std::back_inserter(found.options));
  return found;
}

/// What options are when they are not given because of others.
void complete(bench_options& o) {
  if (o.at_once == 0) o.at_once = o.connections;
  if (o.what == command::storm) o.senders = o.connections;
}

/// What no single option can know.
void check(bench_options const& o) {
  check(o.trust, o.to.secure);
  if (o.what == command::idle && !o.server_pid) throw cli::usage_error("idle measures a process: add --server-pid");
  auto const rooms = std::max<std::size_t>(o.rooms, 1);
  if (rooms > o.receivers + o.connections)
    throw cli::usage_error(
        fmt::format("--rooms: there are not so many --{}", o.receivers == 0 ? "connections" : "receivers"));
  if (o.threads > o.receivers + o.connections)
    throw cli::usage_error(
        fmt::format("--threads: there are not so many --{}", o.receivers == 0 ? "connections" : "receivers"));
  if (!o.cores.empty() && o.cores.size() != o.threads)
    throw cli::usage_error(fmt::format("--cpu: there are {} cores for {} --threads", o.cores.size(), o.threads));
  if (o.receivers == 0) return;
  if (o.senders > o.receivers / rooms)
    throw cli::usage_error(
        fmt::format("--senders: there are not so many --receivers{}", o.rooms == 0 ? "" : " in a room"));
  if (o.senders * rooms > most_senders)
    throw cli::usage_error(fmt::format("--senders: there may be {} in all --rooms together", most_senders));
  auto const stalled = o.stalled_receivers();
  if (o.what == command::stalled && (stalled == 0 || stalled + o.senders > o.receivers))
    throw cli::usage_error("--stalled: with so many --receivers and --senders that is nobody, or too many");
}

/// The answer to arguments that begin without a command.
std::string answer_to(std::span<char const* const> arguments) {
  cli::program const overview{"chorus-bench", usage + list_of_commands(), {}, std::string(see_command) + example};
  char const* const help[] = {"--help"};
  return cli::read(overview, arguments.empty() ? help : arguments).answer;
}

}  // namespace

std::string to_string(command what) { return ranges::find(commands, what, &command_text::what)->name; }

bench_options parse_bench_options(std::span<char const* const> arguments) {
  bench_options result;
  auto const first = arguments.empty() ? std::string_view("-") : std::string_view(arguments.front());
  if (first.starts_with('-')) result.answer = answer_to(arguments);
  if (!result.answer.empty()) return result;
  auto const* const named = ranges::find(commands, first, &command_text::name);
  if (named == std::end(commands))
    throw cli::usage_error(fmt::format("'{}' is no command\n{}", first, list_of_commands()));
  result.what = named->what;
  cli::program const program{
      "chorus-bench",
      fmt::format("Usage: chorus-bench {} [options] [ws://HOST:PORT/PATH]\n{}\n", named->name, named->summary),
      {options_of(named->what, result)},
      example,
      cli::option{"URL", "URL", "ws://127.0.0.1:8080/chat", "", cli::into(result.to, parse_url)}};
  auto const read = cli::read(program, arguments.subspan(1));
  result.answer = read.answer;
  if (!result.answer.empty()) return result;
  if (read.given.contains("rate") && read.given.contains("in-flight"))
    throw cli::usage_error("--in-flight is a closed loop, --rate an open one: choose one");
  complete(result);
  check(result);
  return result;
}

}  // namespace chorus::bench
