#include "cli/program.hpp"

#include <unistd.h>

#include "cli/closest.hpp"
#include "cli/sources.hpp"

namespace chorus::cli {

namespace {

/// Null if there is no such option.
option const* find(program const& in, std::string_view name) {
  for (auto const& group : in.groups)
    for (auto const& o : group.options)
      if (o.name == name) return &o;
  return nullptr;
}

[[noreturn]] void fail_unknown(program const& what, source const& in, setting const& given) {
  std::vector<std::string_view> names;
  for (auto const& group : what.groups)
    for (auto const& o : group.options) names.push_back(o.name);
  auto const meant = closest(given.key, names);
  fail(in, "unknown option " + quote(given.spelled) +
               (meant.empty() ? "; see --help" : "; did you mean " + in.spell(meant) + "?"));
}

void set(option const& known, source const& from, setting const& given, bool first) {
  try {
    known.set(given.value, first);
  } catch (std::invalid_argument const& e) {
    auto const where = given.spelled.empty() ? "" : given.spelled + ": ";
    fail(from, where + quote(given.value) + " will not do: " + e.what());
  }
}

/// Returns the names of the options that the source sets.
std::set<std::string, std::less<>> apply(source const& from, program const& what) {
  std::set<std::string, std::less<>> given_here;
  for (auto const& given : from.settings) {
    auto const* known = find(what, given.key);
    if (given.key.empty() && what.operand && !given_here.contains("")) known = &*what.operand;
    if (known == nullptr && given.key.empty()) fail(from, "unexpected argument " + quote(given.value) + "; see --help");
    if (known == nullptr) fail_unknown(what, from, given);
    set(*known, from, given, given_here.insert(given.key).second);
  }
  return given_here;
}

void set_default(option const& o) {
  if (!o.default_text.empty()) o.set(std::string(o.default_text), true);
}

}  // namespace

environment current_environment() {
  environment variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view const text(*variable);
    auto const equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

reading read(program const& what, std::span<char const* const> arguments, environment const& variables) {
  auto command_line = read_command_line(what, arguments);
  if (take(command_line, "help")) return {help_text(what), {}};
  if (take(command_line, "version")) return {std::string(what.name) + " " CHORUS_VERSION "\n", {}};

  for (auto const& group : what.groups)
    for (auto const& o : group.options) set_default(o);
  if (what.operand) set_default(*what.operand);

  reading result;
  if (!what.variable_prefix.empty()) {
    auto from_environment = read_environment(what, variables);
    auto const file_there = take(from_environment, "config");
    auto const file_here = take(command_line, "config");
    if (file_here) {
      result.given.merge(apply(read_file(what, command_line, *file_here), what));
    } else if (file_there) {
      result.given.merge(apply(read_file(what, from_environment, *file_there), what));
    }
    result.given.merge(apply(from_environment, what));
  }
  result.given.merge(apply(command_line, what));
  return result;
}

}  // namespace chorus::cli
