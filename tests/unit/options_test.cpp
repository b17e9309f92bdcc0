#include "server/options.hpp"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "cli/closest.hpp"
#include "cli/values.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;

options parse(std::vector<char const*> arguments, cli::environment const& variables = {}) {
  return parse_options(arguments, variables);
}

std::string error_of(std::vector<char const*> arguments, cli::environment const& variables = {}) {
  try {
    parse_options(arguments, variables);
  } catch (cli::usage_error const& e) {
    return e.what();
  }
  return "no error";
}

/// A configuration file, as long as it lives.
struct config_file {
  std::string path =
      (std::filesystem::temp_directory_path() / ("chorus_options_test-" + std::to_string(::getpid()) + ".conf"))
          .string();

  explicit config_file(std::string const& content) { std::ofstream(path) << content; }
  ~config_file() { std::filesystem::remove(path); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(option_values)

BOOST_AUTO_TEST_CASE(durations) {
  BOOST_TEST((cli::parse_duration("200ms") == 200ms));
  BOOST_TEST((cli::parse_duration("15s") == 15s));
  BOOST_TEST((cli::parse_duration("5m") == 5min));
  BOOST_TEST((cli::parse_duration("1h") == 1h));
  BOOST_TEST((cli::parse_duration("30") == 30s));
  BOOST_TEST((cli::parse_duration("0") == 0s));
  for (auto const* bad :
       {"", "s", "-1s", "1.5s", "1 s", "1d", "15S", " 1s", "99999999999999999999s", "18446744073709551615h", "8761h"})
    BOOST_CHECK_THROW(cli::parse_duration(bad), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(sizes) {
  BOOST_TEST(cli::parse_size("512", 0, 1 << 20) == 512U);
  BOOST_TEST(cli::parse_size("512B", 0, 1 << 20) == 512U);
  BOOST_TEST(cli::parse_size("64KiB", 0, 1 << 20) == 65536U);
  BOOST_TEST(cli::parse_size("1MiB", 0, 1 << 20) == 1048576U);
  BOOST_TEST(cli::parse_size("10", 10, 20) == 10U);
  BOOST_TEST(cli::parse_size("20", 10, 20) == 20U);
  for (auto const* bad : {"", "64KB", "64kib", "1.5MiB", "-1", "9", "21", "18446744073709551615GiB"})
    BOOST_CHECK_THROW(cli::parse_size(bad, 10, 20), std::invalid_argument);
}

BOOST_AUTO_TEST_SUITE_END()

/// A program with one option of each kind.
BOOST_AUTO_TEST_SUITE(any_program)

namespace {

struct chosen {
  std::uint64_t number = 0;
  bool loud = false;
  std::vector<std::string> names;
  std::string where;
  cli::reading result;
};

chosen read(std::vector<char const*> arguments, std::string_view prefix = "", cli::environment const& variables = {}) {
  chosen to;
  auto const same = [](std::string const& text) { return text; };
  cli::option_group group{"Things",
                          {{"number", "N", "7", "how many", cli::into(to.number, cli::count(1, 9))},
                           {"loud", "", "", "and how", cli::into(to.loud)},
                           {"name", "NAME", "", "who", cli::append_to(to.names, same), "WHO"}}};
  cli::program const program{"things",
                             "Usage: things\n",
                             {group},
                             "The end.\n",
                             cli::option{"PLACE", "PLACE", "here", "", cli::into(to.where)},
                             prefix};
  to.result = cli::read(program, arguments, variables);
  return to;
}

std::string complaint(std::vector<char const*> const& arguments, std::string_view prefix = "",
                      cli::environment const& variables = {}) {
  try {
    read(arguments, prefix, variables);
  } catch (cli::usage_error const& e) {
    return e.what();
  }
  return "none";
}

}  // namespace

BOOST_AUTO_TEST_CASE(has_defaults) {
  auto const nothing = read({});
  BOOST_TEST(nothing.number == 7U);
  BOOST_TEST(!nothing.loud);
  BOOST_TEST(nothing.names.empty());
  BOOST_TEST(nothing.where == "here");
  BOOST_TEST(nothing.result.given.empty());
}

BOOST_AUTO_TEST_CASE(takes_values_flags_lists_and_one_operand) {
  auto const all = read({"--number", "3", "there", "--loud", "--name=a", "--name=b"});
  BOOST_TEST(all.number == 3U);
  BOOST_TEST(all.loud);
  BOOST_TEST((all.names == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(all.where == "there");
  BOOST_TEST((all.result.given == std::set<std::string, std::less<>>{"", "loud", "name", "number"}));
  BOOST_TEST(read({"--number=3", "--number=4"}).number == 4U);
  BOOST_TEST(complaint({"there", "here"}) == "command line: unexpected argument 'here'; see --help");
}

BOOST_AUTO_TEST_CASE(reads_environment_and_file_only_if_it_says_so) {
  config_file const file("loud = true\nnumber = 2\n");
  auto const config = "--config=" + file.path;
  BOOST_TEST(read({}, "", {{"T_NUMBER", "3"}, {"WHO", "me"}}).number == 7U);
  BOOST_TEST(complaint({config.c_str()}) == "command line: unknown option '--config'; see --help");
  auto const told = read({config.c_str()}, "T_", {{"T_NUMBER", "3"}, {"WHO", "me"}});
  BOOST_TEST(told.number == 3U);
  BOOST_TEST(told.loud);
  BOOST_TEST((told.names == std::vector<std::string>{"me"}));
  BOOST_TEST(!read({config.c_str()}, "T_", {{"T_LOUD", "false"}}).loud);
  BOOST_TEST(complaint({}, "T_", {{"T_LOUD", "yes"}}) ==
             "environment: T_LOUD: 'yes' will not do: expected true or false");
}

BOOST_AUTO_TEST_CASE(explains_itself) {
  auto const help = read({"--help"}).result.answer;
  BOOST_TEST(help.starts_with("Usage: things\n\nThings:\n"));
  BOOST_TEST(help.find("--number N (=7)") != std::string::npos);
  BOOST_TEST(help.find("--config") == std::string::npos);
  BOOST_TEST(help.ends_with("The end.\n"));
  BOOST_TEST(read({"--help"}, "T_").result.answer.find("--config FILE") != std::string::npos);
  BOOST_TEST(read({"--version"}).result.answer.starts_with("things "));
}

BOOST_AUTO_TEST_CASE(guesses_what_was_meant) {
  std::vector<std::string_view> const all{"address", "port", "ping-timeout"};
  BOOST_TEST(cli::closest("prot", all) == "port");
  BOOST_TEST(cli::closest("addr", all) == "address");
  BOOST_TEST(cli::closest("pingtimeout", all) == "ping-timeout");
  BOOST_TEST(cli::closest("xylophone", all).empty());
  BOOST_TEST(cli::closest("p", all).empty());
  BOOST_TEST(cli::closest("", all).empty());
}

BOOST_AUTO_TEST_CASE(becomes_an_exit_code) {
  struct asked {
    std::string answer;
  };
  auto const act = [](asked const&) { return 7; };
  BOOST_TEST(cli::run("things", [] { return asked{}; }, act) == 7);
  BOOST_TEST(cli::run("things", [] { return asked{"help\n"}; }, act) == cli::success);
  BOOST_TEST(cli::run("things", []() -> asked { throw cli::usage_error("wrong"); }, act) == cli::bad_usage);
  BOOST_TEST(cli::run("things", []() -> asked { throw std::runtime_error("broken"); }, act) == cli::failure);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(option_sources)

/// What the help shows as defaults is what a server has that nobody tells anything.
BOOST_AUTO_TEST_CASE(defaults_of_the_table_are_those_of_the_settings) {
  auto const defaults = parse({});
  BOOST_TEST((defaults.server == settings()));
  BOOST_TEST((defaults.log_level == options().log_level));
  BOOST_TEST((defaults.format == options().format));
  BOOST_TEST(defaults.log_limit == options().log_limit);
  BOOST_TEST((parse({"--port=8081"}).server != settings()));
}

BOOST_AUTO_TEST_CASE(command_line_wins_over_environment_over_file) {
  config_file const file("# a comment\nport = 1\nping-interval = 1s\nmax-connections = 1\n");
  cli::environment const variables{{"CHORUS_PORT", "2"}, {"CHORUS_PING_INTERVAL", "2s"}, {"CHORUS_CONFIG", file.path}};
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

BOOST_AUTO_TEST_CASE(rooms_have_their_options) {
  auto const rooms = parse({"--max-rooms=1", "--history-messages=2", "--history-bytes=3KiB", "--history-memory=4MiB",
                            "--history-ttl=5m", "--announce-limit=6", "--large-room=7"})
                         .server.rooms;
  BOOST_TEST(rooms.max_rooms == 1U);
  BOOST_TEST(rooms.history_messages == 2U);
  BOOST_TEST(rooms.history_bytes == 3U * 1024);
  BOOST_TEST(rooms.history_memory == 4U * 1024 * 1024);
  BOOST_TEST((rooms.history_ttl == 5min));
  BOOST_TEST(rooms.announce_limit == 6U);
  BOOST_TEST(rooms.large_room == 7U);
}

BOOST_AUTO_TEST_CASE(rooms_have_the_documented_defaults) {
  auto const rooms = parse({}).server.rooms;
  BOOST_TEST(rooms.max_rooms == 10'000U);
  BOOST_TEST(rooms.history_messages == 1000U);
  BOOST_TEST(rooms.history_bytes == 1024U * 1024);
  BOOST_TEST(rooms.history_memory == 256U * 1024 * 1024);
  BOOST_TEST((rooms.history_ttl == 1h));
  BOOST_TEST(rooms.announce_limit == 1000U);
  BOOST_TEST(rooms.large_room == 256U);
}

BOOST_AUTO_TEST_CASE(all_about_rooms_may_be_zero) {
  auto const rooms = parse({"--max-rooms=0", "--history-messages=0", "--history-bytes=0", "--history-memory=0",
                            "--history-ttl=0", "--announce-limit=0", "--large-room=0"})
                         .server.rooms;
  BOOST_TEST((rooms == room_settings{0, 0, 0, 0s, 0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(rooms_have_bounds) {
  for (auto const* name : {"--max-rooms", "--history-messages", "--announce-limit", "--large-room"}) {
    auto const set_to = [name](char const* value) { return error_of({name, value}); };
    BOOST_TEST(set_to("4294967295") == "no error");
    BOOST_TEST(set_to("4294967296").find("expected a number from 0 to 4294967295") != std::string::npos, name);
    BOOST_TEST(set_to("-1").find("expected a number from 0 to 4294967295") != std::string::npos, name);
    BOOST_TEST(set_to("1KiB").find("expected a number") != std::string::npos, name);
  }
  BOOST_TEST(error_of({"--history-bytes=1GiB"}) == "no error");
  BOOST_TEST(error_of({"--history-bytes=1025MiB"}).find("expected a size from 0 to 1073741824 bytes") !=
             std::string::npos);
  BOOST_TEST(error_of({"--history-memory=1024GiB"}) == "no error");
  BOOST_TEST(error_of({"--history-memory=1025GiB"}).find("expected a size from 0 to 1099511627776 bytes") !=
             std::string::npos);
  BOOST_TEST(error_of({"--history-ttl=8760h"}) == "no error");
  BOOST_TEST(error_of({"--history-ttl=8761h"}).find("expected a duration of at most a year") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(threads_are_as_many_as_can_be_unless_it_is_said) {
  BOOST_TEST(parse({}).server.threads == 0U);
  BOOST_TEST(parse({"--threads=3"}).server.threads == 3U);
  BOOST_TEST(parse({}, {{"CHORUS_THREADS", "4"}}).server.threads == 4U);
  for (auto const* wrong : {"-1", "1025", "two"})
    BOOST_TEST(error_of({"--threads", wrong}).find("expected a number from 0 to 1024") != std::string::npos, wrong);
}

BOOST_AUTO_TEST_CASE(the_page_can_be_switched_off) {
  BOOST_TEST(parse({}).server.page);
  BOOST_TEST(!parse({"--no-page"}).server.page);
  BOOST_TEST(!parse({}, {{"CHORUS_NO_PAGE", "true"}}).server.page);
  BOOST_TEST(parse({}, {{"CHORUS_NO_PAGE", "false"}}).server.page);
}

BOOST_AUTO_TEST_CASE(rate_has_a_burst_that_is_never_nothing) {
  BOOST_TEST(parse({}).server.rate_limit == 0U);
  BOOST_TEST(parse({}).server.rate_burst == 100U);
  auto const chosen = parse({"--rate-limit=1000000", "--rate-burst=1"}).server;
  BOOST_TEST(chosen.rate_limit == 1'000'000U);
  BOOST_TEST(chosen.rate_burst == 1U);
  BOOST_TEST(error_of({"--rate-burst=1000000"}) == "no error");
  BOOST_TEST(error_of({"--rate-limit=1000001"}).find("expected a number from 0 to 1000000") != std::string::npos);
  for (auto const* burst : {"--rate-burst=0", "--rate-burst=1000001"})
    BOOST_TEST(error_of({burst}).find("expected a number from 1 to 1000000") != std::string::npos);
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

}  // namespace chorus
