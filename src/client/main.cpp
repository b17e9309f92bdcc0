// chorus-client: talks on a terminal, passes on in a pipe, plays a script.

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <memory>
#include <unistd.h>
#include <utility>

#include "cli/exit_code.hpp"
#include "client/client_options.hpp"
#include "client/exit_code.hpp"
#include "client/interactive.hpp"
#include "client/piped.hpp"
#include "client/script/run.hpp"

namespace {

using namespace chorus;

awaitable<exit_code> talk(executor ex, client_options options) {
  if (!options.script.empty())
    return run_script(ex, {options.script, options.url, options.request, options.tap, options.transcript});
#ifdef CHORUS_HAVE_READLINE
  auto const is_terminal = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
  if (is_terminal && !options.json) return run_interactive(ex, std::move(options));
#endif
  return run_piped(ex, std::move(options));
}

exit_code run(client_options options) {
  if (options.url.secure) options.request.tls = std::make_shared<tls_context>(client_tls(options.trust));
  net::io_context io(1);
  auto result = exit_code::clean;
  net::co_spawn(io, talk(io.get_executor(), std::move(options)), [&result](std::exception_ptr error, exit_code code) {
    if (error) std::rethrow_exception(error);
    result = code;
  });
  io.run();
  return result;
}

}  // namespace

int main(int argc, char* argv[]) {
  return cli::run(
      "chorus-client", [&] { return parse_client_options({argv + 1, argv + argc}); },
      [](client_options chosen) { return static_cast<int>(run(std::move(chosen))); });
}
