#include "client/script/run.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "client/script/parser.hpp"
#include "client/script/player.hpp"

namespace chorus {

namespace {

/// Throws std::runtime_error that says why it cannot.
std::string read_file(std::string const& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) throw std::runtime_error(name + " cannot be read: " + std::generic_category().message(errno));
  try {
    file.exceptions(std::ios::badbit);
    return {std::istreambuf_iterator<char>(file), {}};
  } catch (std::ios_base::failure const&) {
    throw std::runtime_error(name + " cannot be read");
  }
}

struct prepared_script {
  script::source source;
  std::vector<script::step> steps;
  std::unique_ptr<script::transcript> record;
};

/// Reads everything that must be there before the first step; says so and returns nothing if it is not.
std::optional<prepared_script> prepare(script_options const& options) {
  prepared_script ready;
  try {
    ready.source = script::make_source(options.file, read_file(options.file));
    ready.steps = script::parse(ready.source);
    ready.record = std::make_unique<script::transcript>(options.transcript);
    return ready;
  } catch (script::script_error const& error) {
    script::report_unplayable(script::format(error.details(), ready.source), options.tap);
  } catch (std::runtime_error const& error) {
    script::report_unplayable(std::string("chorus-client: ") + error.what() + "\n", options.tap);
  }
  return std::nullopt;
}

}  // namespace

awaitable<exit_code> run_script(executor ex, script_options options) {
  auto const ready = prepare(options);
  if (!ready) co_return exit_code::bad_usage;
  script::reporter report(ready->source, options.tap);
  script::player player(ex, options.base, options.request, *ready->record, report);
  auto const all_held = co_await player.run(ready->steps);
  report.finish(player.users());
  co_return all_held ? exit_code::clean : exit_code::failed;
}

}  // namespace chorus
