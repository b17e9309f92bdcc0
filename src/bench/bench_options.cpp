#include "bench/bench_options.hpp"

#include <boost/program_options.hpp>
#include <charconv>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <range/v3/algorithm/find.hpp>
#include <range/v3/range/conversion.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "bench/stamp.hpp"
#include "support/option_values.hpp"

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

constexpr std::size_t KiB = 1024;
constexpr std::size_t most_connections = 1'000'000;

double parse_rate(std::string const& text) {
  double value = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size() || !(value > 0 && value <= 1e6))
    throw std::invalid_argument("expected a number of events per second, such as 100 or 0.5");
  return value;
}

double parse_share(std::string const& text) {
  double value = 0;
  auto const [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || std::string_view(rest) != "%" || !(value > 0 && value <= 90))
    throw std::invalid_argument("expected a share from 1% to 90%");
  return value / 100;
}

using setter = std::function<void(std::string const&)>;

template <class Number>
setter count_into(Number& to, std::uint64_t least, std::uint64_t most) {
  return [&to, least, most](std::string const& text) { to = static_cast<Number>(parse_count(text, least, most)); };
}

/// The options of one command, bound to where their values go.
class option_set {
 public:
  option_set(command_text const& what, bench_options& to) : visible_("Options", 110, 70), to_(to) {
    if (what.what == command::connect || what.what == command::idle) {
      add("connections", "N", what.what == command::idle ? "5000" : "2000", "how many to open",
          count_into(to_.connections, 1, most_connections));
    } else {
      add_load(what.what);
    }
    if (what.what == command::idle)
      add("for", "TIME", "3s", "watch them that long", [this](auto const& text) { to_.watch = parse_duration(text); });
    if (what.what == command::stalled) add_stalled();
    if (what.what == command::churn) add_churn();
    add_common();
  }

  po::options_description const& visible() const { return visible_; }

  void apply(po::variables_map const& given) const {
    for (auto const& [name, set] : setters_) {
      if (given.count(name) == 0) continue;
      auto const& value = given[name].as<std::string>();
      try {
        set(value);
      } catch (std::invalid_argument const& e) {
        throw bench_usage_error(fmt::format("--{}: '{}' will not do: {}", name, value, e.what()));
      }
    }
  }

 private:
  void add(char const* name, char const* value_name, char const* default_text, char const* help, setter set) {
    auto* const value = po::value<std::string>()->value_name(value_name);
    if (*default_text != '\0') value->default_value(default_text);
    visible_.add_options()(name, value, help);
    setters_.emplace_back(name, std::move(set));
  }

  void add_load(command what) {
    auto const closed = what == command::fanout;
    add("receivers", "N", "1000", "connections that receive; the senders are among them",
        count_into(to_.receivers, 1, most_connections));
    add("senders", "N", "1", "how many of them send", count_into(to_.senders, 1, most_senders));
    if (closed)
      add("in-flight", "N", "32",
          "closed loop: each sender sends its next message when it has heard its own one that is N back",
          count_into(to_.in_flight, 1, 100'000));
    add("rate", "N", closed ? "" : "100",
        closed
            ? "open loop instead: so many messages per second of all senders together, come what may; latency counts "
              "from when a message should have been sent"
            : "messages per second of all senders together; latency counts from when a message should have been sent",
        [this](auto const& text) { to_.rate = parse_rate(text); });
    add("size", "SIZE", "64", "bytes of a message",
        [this](auto const& text) { to_.size = parse_size(text, least_text_size, most_text_size); });
    add("messages", "N", closed ? "2000" : "500", "messages of all senders together, in each measurement",
        count_into(to_.messages, 1, most_messages));
    add("warm-up", "N", "64", "messages before the first measurement", count_into(to_.warm_up, 0, most_messages));
  }

  void add_stalled() {
    add("stalled", "SHARE", "10%", "receivers that stop reading after the first half",
        [this](auto const& text) { to_.stalled_share = parse_share(text); });
    add("fill", "SIZE", "8MiB", "is sent before the second half, so that they are behind by more than sockets hold",
        [this](auto const& text) { to_.fill = parse_size(text, 0, 1024 * KiB * KiB); });
  }

  void add_churn() {
    add("churn", "N", "100", "connections that join per second, and as many that leave",
        [this](auto const& text) { to_.churn_rate = parse_rate(text); });
    add("guests", "N", "50", "how many of those are there at a time", count_into(to_.guests, 1, most_connections));
  }

  void add_common() {
    add("at-once", "N", "32", "handshakes that are under way at a time", count_into(to_.at_once, 1, 10'000));
    add("server-pid", "PID", "", "measure what this process costs, which is to be the server",
        [this](auto const& text) {
          to_.server_pid = static_cast<pid_t>(parse_count(text, 1, std::numeric_limits<pid_t>::max()));
        });
    add("cpu", "N", "", "run on this core, counted from 0; better not the server's",
        [this](auto const& text) { to_.cpu = static_cast<unsigned>(parse_count(text, 0, 4095)); });
    add("timeout", "TIME", "60s", "fail when a single stage takes longer",
        [this](auto const& text) { to_.timeout = parse_duration(text); });
    auto flags = visible_.add_options();
    flags("json", "report as one JSON object");
    flags("i-own-this-host", "allow a target that is not this machine");
    flags("help", "show this and exit");
  }

  po::options_description visible_;
  bench_options& to_;
  std::vector<std::pair<std::string, setter>> setters_;
};

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
  option_set const options(*named, result);
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
  check(result);
  return result;
}

}  // namespace chorus::bench
