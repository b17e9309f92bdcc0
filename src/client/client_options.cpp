#include "client/client_options.hpp"

#include <iterator>
#include <range/v3/algorithm/copy.hpp>
#include <stdexcept>
#include <utility>

#include "cli/program.hpp"
#include "client/query.hpp"
#include "tls/trust_options.hpp"

namespace chorus {

namespace {

constexpr char const* usage =
    "Usage: chorus-client [options] [ws://HOST:PORT/PATH | wss://HOST:PORT/PATH]\n"
    "A WebSocket chat client. Without a URL it connects to ws://127.0.0.1:8080/chat.\n\n"
    "On a terminal it is a chat: type a line and press Enter; /help tells what else there is, Ctrl-D leaves.\n"
    "In a pipe every input line is sent, and every text message is an output line:  seq 10 | chorus-client\n"
    "With --json the lines are those of chorus.v1: commands in, events out, one JSON object each.\n"
    "With --script it plays a conversation and checks what everyone receives.\n";
constexpr char const* exit_codes =
    "\nExit codes: 0 all went well, 1 cannot connect or a script failed, 2 wrong usage, 3 the server closed the\n"
    "connection, 4 what came was no WebSocket.\n";

std::pair<std::string, std::string> parse_header(std::string const& text) {
  auto const colon = text.find(':');
  if (colon == 0 || colon == std::string::npos || text.find_first_of("\r\n") != std::string::npos)
    throw std::invalid_argument("expected 'Name: value'");
  auto const value = text.find_first_not_of(' ', colon + 1);
  return {text.substr(0, colon), value == std::string::npos ? std::string() : text.substr(value)};
}

/// All options: this table is the one place to add another.
cli::program describe(client_options& to, std::string& name) {
  using namespace cli;
  option_group options{
      "Options",
      {
          {"name", "NAME", "", "join under this name", into(name)},
          {"json", "", "", "pass on commands and events as JSON, in a pipe or not", into(to.json)},
          {"header", "'NAME: VALUE'", "", "send this header with the handshake; may be repeated",
           append_to(to.request.headers, parse_header)},
          {"subprotocol", "NAME", "", "ask for this subprotocol", into(to.request.subprotocol)},
          {"reconnect", "", "", "when the connection is lost, connect again (on a terminal)", into(to.reconnect)},
          {"linger", "TIME", "2s", "in a pipe, how long to wait at the end of input for what was sent to come back",
           into(to.linger, parse_duration)},
          {"script", "FILE", "", "play this conversation", into(to.script)},
          {"tap", "", "", "report the script's steps in the Test Anything Protocol", into(to.tap)},
          {"transcript", "FILE", "", "write every event of the script to this file, as JSON lines",
           into(to.transcript)},
      }};
  ranges::copy(trust_options(to.trust), std::back_inserter(options.options));
  return {"chorus-client",
          usage,
          {std::move(options)},
          exit_codes,
          option{"URL", "URL", "ws://127.0.0.1:8080/chat", "", into(to.url, parse_url)}};
}

}  // namespace

client_options parse_client_options(std::span<char const* const> arguments) {
  client_options result;
  std::string name;
  result.answer = cli::read(describe(result, name), arguments).answer;
  if (result.script.empty() && (result.tap || !result.transcript.empty()))
    throw cli::usage_error("--tap and --transcript go with --script");
  if (!result.script.empty() && (!result.request.headers.empty() || !result.request.subprotocol.empty()))
    throw cli::usage_error("with --script, headers and subprotocols stand in the script: connect NAME \"Origin: ...\"");
  if (!result.script.empty() && (result.json || !name.empty()))
    throw cli::usage_error("with --script, names and dialects stand in the script: connect NAME /chat?name=bob");
  if (result.json && !result.request.subprotocol.empty())
    throw cli::usage_error("--json asks for a subprotocol itself");
  check(result.trust, result.url.secure);
  if (!name.empty()) result.url.path = with_parameter(result.url.path, "name", name);
  return result;
}

}  // namespace chorus
