#include "option_sources.hpp"

#include <boost/program_options.hpp>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <range/v3/algorithm/transform.hpp>
#include <range/v3/range/conversion.hpp>
#include <range/v3/view/filter.hpp>
#include <sstream>
#include <utility>

#include "option_table.hpp"

namespace chorus {

namespace {

namespace po = boost::program_options;

constexpr unsigned line_length = 110;
constexpr unsigned shortest_description = 60;

constexpr char const* usage =
    "Usage: chorus-server [options]\n"
    "A WebSocket chat server: ws://ADDRESS:PORT/chat, and an echo at /echo.\n";
constexpr char const* other_sources =
    "\nEvery option can also be set in the environment, as CHORUS_PORT=8080 (plain PORT works too), and in the\n"
    "file that --config names, as port = 8080. The command line wins over the environment, that over the file.\n";

constexpr std::string_view variable_prefix = "CHORUS_";

std::string as_argument(std::string_view option) { return "--" + std::string(option); }

std::string as_variable(std::string_view option) {
  std::string name(option);
  ranges::transform(name, name.begin(),
                    [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return std::string(variable_prefix) + name;
}

std::string as_key(std::string_view option) { return std::string(option); }

std::string option_of_variable(std::string_view variable) {
  std::string name(variable.substr(variable_prefix.size()));
  ranges::transform(name, name.begin(),
                    [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return name;
}

po::options_description describe() {
  std::vector<po::options_description> groups;
  for (auto const& o : option_table()) {
    if (!o.group.empty()) groups.emplace_back(std::string(o.group), line_length, shortest_description);
    auto* const value = po::value<std::string>()->value_name(std::string(o.value_name));
    if (!o.default_text.empty()) value->default_value(std::string(o.default_text));
    groups.back().add_options()(std::string(o.name).c_str(), value, std::string(o.help).c_str());
  }
  auto* const file = po::value<std::string>()->value_name("FILE");
  auto& general = groups.emplace_back("General", line_length, shortest_description);
  general.add_options()("config", file, "read options from this file, one key = value per line");
  general.add_options()("help", "show this and exit");
  general.add_options()("version", "show the version and exit");

  po::options_description all("", line_length, shortest_description);
  for (auto const& group : groups) all.add(group);
  return all;
}

std::string value_of(po::option const& o) { return o.value.empty() ? std::string() : o.value.front(); }

}  // namespace

source read_command_line(std::span<char const* const> arguments) {
  using style = po::command_line_style::style_t;
  source result{"command line", as_argument, {}};
  std::vector<std::string> positional;
  try {
    auto const known = describe();
    auto const parsed = po::command_line_parser(arguments | ranges::to<std::vector<std::string>>())
                            .options(known)
                            .style(style::unix_style & ~style::allow_guessing)
                            .allow_unregistered()
                            .run();
    for (auto const& o : parsed.options) {
      if (o.position_key != -1) {
        positional.push_back(value_of(o));
        continue;
      }
      auto spelled = o.string_key.starts_with('-') ? o.string_key : as_argument(o.string_key);
      // `--port --address x` would make `--address` the port.
      if (o.original_tokens.size() > 1 && value_of(o).starts_with("--")) fail(result, spelled + " needs a value");
      result.settings.push_back({o.string_key, value_of(o), std::move(spelled)});
    }
  } catch (po::error const& e) {
    fail(result, std::string(e.what()) + "; see --help");
  }
  // As the last of the settings, so that an unknown option is named before what may be its value.
  for (auto const& argument : positional) result.settings.push_back({"", argument, "argument"});
  return result;
}

source read_environment(environment const& variables) {
  source result{"environment", as_variable, {}};
  // First, so that CHORUS_PORT wins.
  if (auto const port = variables.find("PORT"); port != variables.end())
    result.settings.push_back({"port", port->second, "PORT"});
  for (auto const& [name, value] : variables)
    if (name.starts_with(variable_prefix)) result.settings.push_back({option_of_variable(name), value, name});
  return result;
}

source read_file(source const& named_in, setting const& config) {
  source result{config.value, as_key, {}};
  errno = 0;
  std::ifstream file(config.value);
  std::stringstream content;
  if (!file || !(content << file.rdbuf()))
    fail(named_in, config.spelled + ": " + quoted(config.value) + " cannot be read: " + std::strerror(errno));
  try {
    for (auto const& o : po::parse_config_file(content, describe(), true).options)
      result.settings.push_back({o.string_key, value_of(o), o.string_key});
  } catch (po::error const& e) {
    fail(result, e.what());
  }
  return result;
}

std::optional<setting> take(source& from, std::string_view key) {
  std::optional<setting> last;
  std::erase_if(from.settings, [&](setting& given) {
    if (given.key != key) return false;
    last = std::move(given);
    return true;
  });
  return last;
}

std::string help_text() {
  std::ostringstream text;
  text << usage << describe() << other_sources;
  return text.str();
}

void fail(source const& in, std::string const& what) { throw usage_error(in.name + ": " + what); }

std::string quoted(std::string_view text) {
  auto escaped = fmt::format("{:?}", text);
  escaped.front() = escaped.back() = '\'';
  return escaped;
}

}  // namespace chorus
