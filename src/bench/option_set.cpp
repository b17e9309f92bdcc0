#include "bench/option_set.hpp"

#include <charconv>
#include <fmt/format.h>
#include <limits>

#include "bench/stamp.hpp"
#include "support/option_values.hpp"

namespace chorus::bench {

namespace {

namespace po = boost::program_options;

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

}  // namespace

template <class Number>
option_set::setter option_set::count_into(Number& to, std::uint64_t least, std::uint64_t most) {
  return [&to, least, most](std::string const& text) { to = static_cast<Number>(parse_count(text, least, most)); };
}

option_set::option_set(command what, bench_options& to) : visible_("Options", 110, 70), to_(to) {
  if (what == command::connect || what == command::idle) {
    add("connections", "N", what == command::idle ? "5000" : "2000", "how many to open",
        count_into(to_.connections, 1, most_connections));
  } else if (what == command::storm) {
    add_storm();
  } else {
    add_load(what);
  }
  if (what == command::idle)
    add("for", "TIME", "3s", "watch them that long", [this](auto const& text) { to_.watch = parse_duration(text); });
  if (what == command::stalled) add_stalled();
  if (what == command::churn) add_churn();
  add_common(what);
}

void option_set::apply(po::variables_map const& given) const {
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

void option_set::add(char const* name, char const* value_name, char const* default_text, char const* help, setter set) {
  auto* const value = po::value<std::string>()->value_name(value_name);
  if (*default_text != '\0') value->default_value(default_text);
  visible_.add_options()(name, value, help);
  setters_.emplace_back(name, std::move(set));
}

void option_set::add_load(command what) {
  auto const closed = what == command::fanout;
  add("receivers", "N", "1000", "connections that receive; the senders are among them",
      count_into(to_.receivers, 1, most_connections));
  add("senders", "N", "1", "how many of them send", count_into(to_.senders, 1, most_senders));
  if (closed)
    add("in-flight", "N", "32",
        "closed loop: each sender sends its next message when it has heard its own one that is N back",
        count_into(to_.in_flight, 1, 100'000));
  add("rate", "N", closed ? "" : "100",
      closed ? "open loop instead: so many messages per second of all senders together, come what may; latency counts "
               "from when a message should have been sent"
             : "messages per second of all senders together; latency counts from when a message should have been sent",
      [this](auto const& text) { to_.rate = parse_rate(text); });
  add_size();
  add("messages", "N", closed ? "2000" : "500", "messages of all senders together, in each measurement",
      count_into(to_.messages, 1, most_messages));
  add("warm-up", "N", "64", "messages before the first measurement", count_into(to_.warm_up, 0, most_messages));
}

void option_set::add_stalled() {
  add("stalled", "SHARE", "10%", "receivers that stop reading after the first half",
      [this](auto const& text) { to_.stalled_share = parse_share(text); });
  add("fill", "SIZE", "8MiB", "is sent before the second half, so that they are behind by more than sockets hold",
      [this](auto const& text) { to_.fill = parse_size(text, 0, 1024 * KiB * KiB); });
}

void option_set::add_churn() {
  add("churn", "N", "100", "connections that join per second, and as many that leave",
      [this](auto const& text) { to_.churn_rate = parse_rate(text); });
  add("guests", "N", "50", "how many of those are there at a time", count_into(to_.guests, 1, most_connections));
}

void option_set::add_storm() {
  add("connections", "N", "5000",
      "how many to open; the probe that measures the silence is one more, which the server has to allow",
      count_into(to_.connections, 1, most_senders));
  add("talk", "N", "1", "messages that each of them says, all at once; with 0 nobody says anything",
      count_into(to_.talk, 0, most_messages / most_senders));
  add_size();
}

void option_set::add_size() {
  add("size", "SIZE", "64", "bytes of a message",
      [this](auto const& text) { to_.size = parse_size(text, least_text_size, most_text_size); });
}

void option_set::add_common(command what) {
  auto const storm = what == command::storm;
  add("at-once", "N", storm ? "" : "32",
      storm ? "handshakes that are under way at a time, instead of all" : "handshakes that are under way at a time",
      count_into(to_.at_once, 1, most_connections));
  add("server-pid", "PID", "", "measure what this process costs, which is to be the server", [this](auto const& text) {
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

}  // namespace chorus::bench
