#include "cli/sources.hpp"

#include <boost/program_options.hpp>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <range/v3/algorithm/transform.hpp>
#include <range/v3/range/conversion.hpp>
#include <sstream>
#include <utility>

namespace chorus::cli {

namespace {

namespace po = boost::program_options;

constexpr unsigned line_length = 110;
constexpr unsigned shortest_description = 60;

std::string as_argument(std::string_view option) { return "--" + std::string(option); }

std::string as_variable(std::string_view prefix, std::string_view option) {
  auto name = std::string(prefix).append(option);
  ranges::transform(name, name.begin(),
                    [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

std::string option_of_variable(std::string_view name_without_prefix) {
  std::string name(name_without_prefix);
  ranges::transform(name, name.begin(),
                    [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
  return name;
}

void add(po::options_description& to, option const& o) {
  if (o.value_name.empty()) {
    to.add_options()(std::string(o.name).c_str(), o.help.c_str());
    return;
  }
  auto* const value = po::value<std::string>()->value_name(std::string(o.value_name));
  if (!o.default_text.empty()) value->default_value(std::string(o.default_text));
  to.add_options()(std::string(o.name).c_str(), value, o.help.c_str());
}

po::options_description describe(program const& what) {
  option_group general{"General", {}};
  if (!what.variable_prefix.empty())
    general.options.push_back({"config", "FILE", "", "read options from this file, one key = value per line", {}});
  general.options.push_back({"help", "", "", "show this and exit", {}});
  general.options.push_back({"version", "", "", "show the version and exit", {}});

  po::options_description all("", line_length, shortest_description);
  auto const add_group = [&all](option_group const& group) {
    po::options_description described(std::string(group.heading), line_length, shortest_description);
    for (auto const& o : group.options) add(described, o);
    all.add(described);
  };
  for (auto const& group : what.groups) add_group(group);
  add_group(general);
  return all;
}

/// A flag is there or not.
std::string value_of(po::option const& o) { return o.value.empty() ? "true" : o.value.front(); }

}  // namespace

source read_command_line(program const& what, std::span<char const* const> arguments) {
  using style = po::command_line_style::style_t;
  source result{"command line", as_argument, {}};
  std::vector<std::string> operands;
  try {
    auto const known = describe(what);
    auto const parsed = po::command_line_parser(arguments | ranges::to<std::vector<std::string>>())
                            .options(known)
                            .style(style::unix_style & ~style::allow_guessing)
                            .allow_unregistered()
                            .run();
    for (auto const& o : parsed.options) {
      if (o.position_key != -1) {
        operands.push_back(value_of(o));
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
  for (auto const& value : operands) result.settings.push_back({"", value, ""});
  return result;
}

source read_environment(program const& what, environment const& variables) {
  auto const prefix = what.variable_prefix;
  source result{"environment", [prefix](std::string_view option) { return as_variable(prefix, option); }, {}};
  // First, so that the variable with the prefix wins.
  for (auto const& group : what.groups)
    for (auto const& o : group.options)
      if (auto const other = variables.find(std::string(o.other_variable)); other != variables.end())
        result.settings.push_back({std::string(o.name), other->second, other->first});
  for (auto const& [name, value] : variables)
    if (name.starts_with(prefix))
      result.settings.push_back({option_of_variable(std::string_view(name).substr(prefix.size())), value, name});
  return result;
}

source read_file(program const& what, source const& named_in, setting const& config) {
  source result{config.value, [](std::string_view option) { return std::string(option); }, {}};
  errno = 0;
  std::ifstream file(config.value);
  std::stringstream content;
  if (!file || !(content << file.rdbuf()))
    fail(named_in, config.spelled + ": " + quote(config.value) + " cannot be read: " + std::strerror(errno));
  try {
    for (auto const& o : po::parse_config_file(content, describe(what), true).options)
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

std::string help_text(program const& what) {
  std::ostringstream text;
  text << what.usage << describe(what) << what.closing;
  return text.str();
}

void fail(source const& in, std::string const& what) { throw usage_error(in.name + ": " + what); }

std::string quote(std::string_view text) {
  auto escaped = fmt::format("{:?}", text);
  escaped.front() = escaped.back() = '\'';
  return escaped;
}

}  // namespace chorus::cli
