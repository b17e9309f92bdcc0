#include "options.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <spdlog/sinks/ostream_sink.h>
#include <sstream>
#include <string>
#include <vector>

#include "support/option_values.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;

options parse(std::vector<char const*> arguments, environment const& variables = {}) {
  return parse_options(arguments, variables);
}

std::string error_of(std::vector<char const*> arguments, environment const& variables = {}) {
  try {
    parse_options(arguments, variables);
  } catch (usage_error const& e) {
    return e.what();
  }
  return "no error";
}

/// A configuration file, as long as it lives.
struct config_file {
  std::string path = (std::filesystem::temp_directory_path() / "chorus_options_test.conf").string();

  explicit config_file(std::string const& content) { std::ofstream(path) << content; }
  ~config_file() { std::filesystem::remove(path); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(option_values)

BOOST_AUTO_TEST_CASE(durations) {
  BOOST_TEST((parse_duration("200ms") == 200ms));
  BOOST_TEST((parse_duration("15s") == 15s));
  BOOST_TEST((parse_duration("5m") == 5min));
  BOOST_TEST((parse_duration("1h") == 1h));
  BOOST_TEST((parse_duration("30") == 30s));
  BOOST_TEST((parse_duration("0") == 0s));
  for (auto const* bad :
       {"", "s", "-1s", "1.5s", "1 s", "1d", "15S", " 1s", "99999999999999999999s", "18446744073709551615h", "8761h"})
    BOOST_CHECK_THROW(parse_duration(bad), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(sizes) {
  BOOST_TEST(parse_size("512", 0, 1 << 20) == 512U);
  BOOST_TEST(parse_size("512B", 0, 1 << 20) == 512U);
  BOOST_TEST(parse_size("64KiB", 0, 1 << 20) == 65536U);
  BOOST_TEST(parse_size("1MiB", 0, 1 << 20) == 1048576U);
  BOOST_TEST(parse_size("10", 10, 20) == 10U);
  BOOST_TEST(parse_size("20", 10, 20) == 20U);
  for (auto const* bad : {"", "64KB", "64kib", "1.5MiB", "-1", "9", "21", "18446744073709551615GiB"})
    BOOST_CHECK_THROW(parse_size(bad, 10, 20), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(origins) {
  for (auto const* good : {"*", "https://example.org", "http://localhost:3000", "http://[::1]:80"})
    BOOST_TEST(parse_origin(good) == good);
  for (auto const* bad : {"", "example.org", "https://", "://x", "https://example.org/", "https://a b"})
    BOOST_CHECK_THROW(parse_origin(bad), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(option_sources)

BOOST_AUTO_TEST_CASE(defaults_are_the_documented_ones) {
  auto const defaults = parse({});
  BOOST_TEST(defaults.server.port == 8080);
  BOOST_TEST(defaults.server.address.to_string() == "0.0.0.0");
  BOOST_TEST((defaults.server.ping_interval == 15s));
  BOOST_TEST(defaults.server.max_message_size == 65536U);
  BOOST_TEST(defaults.server.outbound_limit == 1048576U);
}

/// What the help text promises as a default, given explicitly, changes nothing.
BOOST_AUTO_TEST_CASE(help_shows_the_real_defaults) {
  auto const given =
      parse({"--address=0.0.0.0", "--port=8080", "--handshake-timeout=10s", "--ping-interval=15s", "--ping-timeout=15s",
             "--write-timeout=10s", "--drain-delay=0", "--drain-timeout=10s", "--unsent-limit=64KiB", "--slow-turn=0",
             "--max-header-size=8KiB", "--max-message-size=64KiB", "--outbound-limit=1MiB", "--max-connections=10000",
             "--max-connections-per-address=0", "--log-level=info", "--log-format=text"});
  settings const real;
  BOOST_TEST((given.server.address == real.address));
  BOOST_TEST(given.server.port == real.port);
  BOOST_TEST((given.server.handshake_timeout == real.handshake_timeout));
  BOOST_TEST((given.server.ping_interval == real.ping_interval));
  BOOST_TEST((given.server.ping_timeout == real.ping_timeout));
  BOOST_TEST((given.server.write_timeout == real.write_timeout));
  BOOST_TEST((given.server.drain_delay == real.drain_delay));
  BOOST_TEST((given.server.drain_timeout == real.drain_timeout));
  BOOST_TEST(given.server.max_header_size == real.max_header_size);
  BOOST_TEST(given.server.max_message_size == real.max_message_size);
  BOOST_TEST(given.server.outbound_limit == real.outbound_limit);
  BOOST_TEST(given.server.unsent_limit == real.unsent_limit);
  BOOST_TEST(given.server.max_connections == real.max_connections);
  BOOST_TEST(given.server.max_connections_per_address == real.max_connections_per_address);
  BOOST_TEST((given.log_level == options().log_level));
  BOOST_TEST((given.format == options().format));
  BOOST_TEST((given.slow_turn == options().slow_turn));

  auto const help = parse({"--help"}).answer;
  for (auto const* shown :
       {"--port N (=8080)", "--ping-interval TIME (=15s)", "--drain-timeout TIME (=10s)",
        "--max-header-size SIZE (=8KiB)", "--outbound-limit SIZE (=1MiB)", "--max-connections N (=10000)"})
    BOOST_TEST(help.find(shown) != std::string::npos, shown);
}

BOOST_AUTO_TEST_CASE(command_line_wins_over_environment_over_file) {
  config_file const file("# a comment\nport = 1\nping-interval = 1s\nmax-connections = 1\n");
  environment const variables{{"CHORUS_PORT", "2"}, {"CHORUS_PING_INTERVAL", "2s"}, {"CHORUS_CONFIG", file.path}};
  auto const chosen = parse({"--port", "3"}, variables);
  BOOST_TEST(chosen.server.port == 3);
  BOOST_TEST((chosen.server.ping_interval == 2s));
  BOOST_TEST(chosen.server.max_connections == 1U);
}

BOOST_AUTO_TEST_CASE(plain_port_counts_below_chorus_port) {
  BOOST_TEST(parse({}, {{"PORT", "1"}}).server.port == 1);
  BOOST_TEST(parse({}, {{"PORT", "1"}, {"CHORUS_PORT", "2"}}).server.port == 2);
  BOOST_TEST(parse({"--port=3"}, {{"PORT", "1"}}).server.port == 3);
}

BOOST_AUTO_TEST_CASE(lists_add_up_within_a_source_and_replace_weaker_ones) {
  config_file const file("allow-origin = http://a\nallow-origin = http://b\n");
  using origins = std::vector<std::string>;
  BOOST_TEST((parse({"--config", file.path.c_str()}).server.allow_origins == origins{"http://a", "http://b"}));
  BOOST_TEST((parse({"--config", file.path.c_str(), "--allow-origin", "*"}).server.allow_origins == origins{"*"}));
}

BOOST_AUTO_TEST_CASE(errors_name_source_key_and_what_would_be_right) {
  BOOST_TEST(error_of({"--port", "abc"}) ==
             "command line: --port: 'abc' will not do: expected a number from 0 to 65535");
  BOOST_TEST(error_of({"--prot=80"}) == "command line: unknown option '--prot'; did you mean --port?");
  BOOST_TEST(error_of({"--prot", "80"}) == "command line: unknown option '--prot'; did you mean --port?");
  BOOST_TEST(error_of({"-x"}) == "command line: unknown option '-x'; see --help");
  BOOST_TEST(error_of({"8080"}) == "command line: unexpected argument '8080'; see --help");
  BOOST_TEST(error_of({"--por", "80"}) == "command line: unknown option '--por'; did you mean --port?");
  BOOST_TEST(error_of({"--port"}).starts_with("command line: "));
  BOOST_TEST(error_of({"--port", "--address", "::1"}) == "command line: --port needs a value");
  BOOST_TEST(error_of({"--port", "1\n2"}).find('\n') == std::string::npos);
  BOOST_TEST(error_of({}, {{"PORT", "-1"}}) ==
             "environment: PORT: '-1' will not do: expected a number from 0 to 65535");
  BOOST_TEST(error_of({}, {{"CHORUS_PROT", "1"}}) ==
             "environment: unknown option 'CHORUS_PROT'; did you mean CHORUS_PORT?");
  BOOST_TEST(error_of({"--address", "localhost"}).find("expected an IP address") != std::string::npos);
  BOOST_TEST(error_of({"--log-level", "loud"}).find("expected trace, debug") != std::string::npos);
  BOOST_TEST(error_of({"--log-format", "xml"}).find("expected text or json") != std::string::npos);
  BOOST_TEST(error_of({"--max-header-size", "1"}).find("expected a size from 256 to") != std::string::npos);
  BOOST_TEST(error_of({"--max-header-size", "64KiB"}).find("expected a size from 256 to 64512 bytes") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(errors_in_files_name_the_file) {
  for (auto const* content : {"prot = 1\n", "port = x\n", "no key\n", "[section]\nport = 1\n", "config = other\n"}) {
    config_file const file(content);
    BOOST_TEST(error_of({"--config", file.path.c_str()}).starts_with(file.path + ": "), content);
  }
  BOOST_TEST(error_of({"--config", "/nowhere.conf"}) ==
             "command line: --config: '/nowhere.conf' cannot be read: No such file or directory");
  BOOST_TEST(error_of({}, {{"CHORUS_CONFIG", "/"}}) ==
             "environment: CHORUS_CONFIG: '/' cannot be read: Is a directory");
}

BOOST_AUTO_TEST_CASE(other_variables_are_none_of_ours) {
  BOOST_TEST(parse({}, {{"HOME", "/"}, {"CHORUSLINE", "x"}}).server.port == 8080);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(logs)

namespace {

std::string logged(log_format format, std::string const& message) {
  std::ostringstream out;
  auto const sink = std::make_shared<spdlog::sinks::ostream_sink_st>(out);
  spdlog::logger log("test", sink);
  log.set_formatter(make_formatter(format));
  log.info(message);
  return out.str();
}

}  // namespace

BOOST_AUTO_TEST_CASE(json_is_one_object_per_line) {
  auto const line = logged(log_format::json, "a \"quoted\"\nmessage");
  BOOST_TEST(line.back() == '\n');
  BOOST_TEST(line.find('\n') == line.size() - 1);
  auto const object = boost::json::parse(line.substr(0, line.size() - 1)).as_object();
  BOOST_TEST(object.at("level").as_string() == "info");
  BOOST_TEST(object.at("message").as_string() == "a \"quoted\"\nmessage");
  BOOST_TEST(object.at("time").as_string().ends_with("Z"));
}

BOOST_AUTO_TEST_CASE(text_is_time_level_message) {
  auto const line = logged(log_format::text, "message");
  BOOST_TEST(line.substr(23) == "Z info    message\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
