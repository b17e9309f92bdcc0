#include "client/client_options.hpp"

#include <boost/program_options.hpp>
#include <range/v3/range/conversion.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "support/option_values.hpp"

namespace chorus {

namespace {

namespace po = boost::program_options;

constexpr char const* default_url = "ws://127.0.0.1:8080/chat";
constexpr char const* usage =
    "Usage: chorus-client [options] [ws://HOST:PORT/PATH]\n"
    "A WebSocket chat client. Without a URL it connects to ws://127.0.0.1:8080/chat.\n\n"
    "On a terminal it is a chat: type a line and press Enter; 'exit' or Ctrl-D leaves.\n"
    "In a pipe every input line is sent, and every text message is an output line:  seq 10 | chorus-client\n"
    "With --script it plays a conversation and checks what everyone receives.\n\n";
constexpr char const* exit_codes =
    "\nExit codes: 0 all went well, 1 cannot connect or a script failed, 2 wrong usage, 3 the server closed the\n"
    "connection, 4 what came was no WebSocket.\n";

po::options_description describe() {
  po::options_description all("Options", 110, 60);
  auto const text = [](char const* name) { return po::value<std::string>()->value_name(name); };
  auto add = all.add_options();
  add("header", po::value<std::vector<std::string>>()->value_name("'NAME: VALUE'"),
      "send this header with the handshake; may be repeated");
  add("subprotocol", text("NAME"), "ask for this subprotocol");
  add("reconnect", "when the connection is lost, connect again (on a terminal)");
  add("linger", text("TIME")->default_value("2s"),
      "in a pipe, how long to wait at the end of input for what was sent to come back");
  add("script", text("FILE"), "play this conversation");
  add("tap", "report the script's steps in the Test Anything Protocol");
  add("transcript", text("FILE"), "write every event of the script to this file, as JSON lines");
  add("help", "show this and exit");
  add("version", "show the version and exit");
  return all;
}

std::pair<std::string, std::string> parse_header(std::string const& text) {
  auto const colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || text.find_first_of("\r\n") != std::string::npos)
    throw client_usage_error("--header: '" + text + "' will not do: expected 'Name: value'");
  auto const value = text.find_first_not_of(' ', colon + 1);
  return {text.substr(0, colon), value == std::string::npos ? std::string() : text.substr(value)};
}

/// Applies `parse` and says which option it was that it did not like.
template <class Parse>
auto parse_option(std::string const& name, std::string const& value, Parse parse) {
  try {
    return parse(value);
  } catch (std::invalid_argument const& e) {
    throw client_usage_error(name + ": '" + value + "' will not do: " + e.what());
  }
}

po::variables_map read(std::span<char const* const> arguments, po::options_description const& visible) {
  using style = po::command_line_style::style_t;
  po::options_description known;
  known.add(visible).add_options()("url", po::value<std::string>()->default_value(default_url));
  po::positional_options_description positional;
  positional.add("url", 1);
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments | ranges::to<std::vector<std::string>>())
                  .options(known)
                  .positional(positional)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              given);
  } catch (po::error const& e) {
    throw client_usage_error(std::string(e.what()) + "; see --help");
  }
  return given;
}

}  // namespace

client_options parse_client_options(std::span<char const* const> arguments) {
  auto const visible = describe();
  auto const given = read(arguments, visible);
  client_options result;
  if (given.count("help") != 0) {
    std::ostringstream text;
    text << usage << visible << exit_codes;
    result.answer = text.str();
    return result;
  }
  if (given.count("version") != 0) {
    result.answer = "chorus-client " CHORUS_VERSION "\n";
    return result;
  }
  auto const text = [&](char const* name) { return given.count(name) != 0 ? given[name].as<std::string>() : ""; };
  result.to = parse_option("the address", text("url"), parse_url);
  result.linger = parse_option("--linger", text("linger"), parse_duration);
  result.how.subprotocol = text("subprotocol");
  if (given.count("header") != 0)
    for (auto const& header : given["header"].as<std::vector<std::string>>())
      result.how.headers.push_back(parse_header(header));
  result.reconnect = given.count("reconnect") != 0;
  result.script = text("script");
  result.tap = given.count("tap") != 0;
  result.transcript = text("transcript");
  if (result.script.empty() && (result.tap || !result.transcript.empty()))
    throw client_usage_error("--tap and --transcript go with --script");
  if (!result.script.empty() && (!result.how.headers.empty() || !result.how.subprotocol.empty()))
    throw client_usage_error(
        "with --script, headers and subprotocols stand in the script: connect NAME \"Origin: ...\"");
  return result;
}

}  // namespace chorus
