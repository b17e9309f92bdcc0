#include "options.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cctype>
#include <fstream>
#include <optional>
#include <range/v3/algorithm/find.hpp>
#include <range/v3/algorithm/min_element.hpp>
#include <range/v3/algorithm/transform.hpp>
#include <range/v3/numeric/iota.hpp>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "option_table.hpp"

namespace chorus {

namespace {

namespace po = boost::program_options;

/// One key with its value. `key` is the option's name, `spelled` the way that the source writes it.
struct setting {
  std::string key;
  std::string value;
  std::string spelled;
};

/// What one source says, and the source's name for messages.
struct source {
  std::string name;
  std::vector<setting> settings;
};

/// The number of single-character edits that turn one word into another (Levenshtein).
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  ranges::iota(row, std::size_t{0});
  for (std::size_t i = 0; i != from.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j != to.size(); ++j) {
      auto const replaced = diagonal + (from[i] != to[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

[[noreturn]] void fail(source const& in, std::string const& what) { throw usage_error(in.name + ": " + what); }

[[noreturn]] void fail_unknown(source const& in, setting const& unknown) {
  auto const distance = [&](option const& o) { return edit_distance(unknown.key, o.name); };
  auto const nearest = ranges::min_element(option_table(), {}, distance);
  auto const hint = distance(*nearest) <= 3 ? "; did you mean '" + std::string(nearest->name) + "'?" : "; see --help";
  fail(in, "unknown option '" + unknown.spelled + "'" + hint);
}

void apply(source const& from, options& to) {
  std::set<std::string_view> begun_lists;
  for (auto const& given : from.settings) {
    auto const known = ranges::find(option_table(), given.key, &option::name);
    if (known == option_table().end()) fail_unknown(from, given);
    if (known->clear && begun_lists.insert(known->name).second) known->clear(to);
    try {
      known->set(to, given.value);
    } catch (std::invalid_argument const& e) {
      fail(from, given.spelled + ": '" + given.value + "' will not do: " + e.what());
    }
  }
}

constexpr char const* usage =
    "Usage: chorus-server [options]\n"
    "A WebSocket chat server: ws://ADDRESS:PORT/chat, and an echo at /echo.\n\n";
constexpr char const* other_sources =
    "\nEvery option can also be set in the environment, as CHORUS_PORT=8080 (plain PORT works too), and in the\n"
    "file that --config names, as port = 8080. The command line wins over the environment, that over the file.\n";

po::options_description describe() {
  po::options_description all("", 110, 60);
  std::vector<po::options_description> groups;
  for (auto const& o : option_table()) {
    if (!o.group.empty()) groups.emplace_back(std::string(o.group), 110, 60);
    auto* const value = po::value<std::string>()->value_name(std::string(o.value_name));
    if (!o.default_text.empty()) value->default_value(std::string(o.default_text));
    groups.back().add_options()(std::string(o.name).c_str(), value, std::string(o.help).c_str());
  }
  groups.emplace_back("General", 110, 60)
      .add_options()  //
      ("config", po::value<std::string>()->value_name("FILE"),
       "read options from this file, one key = value per line")  //
      ("help", "show this and exit")                             //
      ("version", "show the version and exit");
  for (auto const& group : groups) all.add(group);
  return all;
}

std::string spelled(po::option const& o) {
  return o.string_key.starts_with('-') ? o.string_key : "--" + o.string_key;
}

source read_command_line(std::span<char const* const> arguments, po::options_description const& known) {
  using style = po::command_line_style::style_t;
  source result{"command line", {}};
  try {
    auto const parsed = po::command_line_parser(std::vector<std::string>(arguments.begin(), arguments.end()))
                            .options(known)
                            .style(style::unix_style & ~style::allow_guessing)
                            .allow_unregistered()
                            .run();
    std::vector<std::string> positional;
    for (auto const& o : parsed.options) {
      setting given{o.string_key, o.value.empty() ? std::string() : o.value.front(), spelled(o)};
      if (o.unregistered) fail_unknown(result, given);
      if (o.position_key == -1) {
        result.settings.push_back(std::move(given));
      } else {
        positional.push_back(given.value);
      }
    }
    if (!positional.empty()) fail(result, "unexpected argument '" + positional.front() + "'; see --help");
  } catch (po::error const& e) {
    fail(result, std::string(e.what()) + "; see --help");
  }
  return result;
}

source read_environment(environment const& variables) {
  constexpr std::string_view prefix = "CHORUS_";
  source result{"environment", {}};
  // First, so that CHORUS_PORT wins.
  if (auto const port = variables.find("PORT"); port != variables.end())
    result.settings.push_back({"port", port->second, "PORT"});
  for (auto const& [name, value] : variables) {
    if (!name.starts_with(prefix)) continue;
    auto key = name.substr(prefix.size());
    ranges::transform(key, key.begin(),
                      [](unsigned char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(c)); });
    result.settings.push_back({std::move(key), value, name});
  }
  return result;
}

source read_file(std::string const& path, po::options_description const& known) {
  source result{path, {}};
  std::ifstream file(path);
  std::stringstream content;
  if (!file || !(content << file.rdbuf())) fail(result, "cannot be read");
  try {
    for (auto const& o : po::parse_config_file(content, known, true).options)
      result.settings.push_back({o.string_key, o.value.empty() ? std::string() : o.value.front(), o.string_key});
  } catch (po::error const& e) {
    fail(result, e.what());
  }
  return result;
}

/// Takes a setting that is not in the table out of a source; nothing if it is not there.
std::optional<std::string> take(source& from, std::string_view key) {
  auto const found = ranges::find(from.settings, key, &setting::key);
  if (found == from.settings.end()) return std::nullopt;
  auto value = std::move(found->value);
  from.settings.erase(found);
  return value;
}

}  // namespace

options parse_options(std::span<char const* const> arguments, environment const& variables) {
  auto const known = describe();
  options result;
  auto command_line = read_command_line(arguments, known);
  if (take(command_line, "help")) {
    std::ostringstream text;
    text << usage << known << other_sources;
    result.answer = text.str();
    return result;
  }
  if (take(command_line, "version")) {
    result.answer = "chorus-server " CHORUS_VERSION "\n";
    return result;
  }
  auto environment_source = read_environment(variables);
  auto const path_there = take(environment_source, "config");
  auto const path_here = take(command_line, "config");
  if (auto const path = path_here ? path_here : path_there) apply(read_file(*path, known), result);
  apply(environment_source, result);
  apply(command_line, result);
  return result;
}

}  // namespace chorus
