// chorus-client: talks on a terminal, passes on in a pipe, plays a script.

#include <boost/asio/co_spawn.hpp>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "client/client_options.hpp"
#include "client/exit_code.hpp"
#include "client/interactive.hpp"
#include "client/piped.hpp"
#include "client/script/run.hpp"

namespace {

using namespace chorus;

awaitable<exit_code> play(executor ex, script_options how) {
  auto const code = co_await run_script(ex, std::move(how));
  co_return static_cast<exit_code>(code);
}

awaitable<exit_code> talk(executor ex, client_options how) {
  if (!how.script.empty()) return play(ex, {how.script, how.to, how.tap, how.transcript});
#ifdef CHORUS_HAVE_READLINE
  if (::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0) return run_interactive(ex, std::move(how));
#endif
  return run_piped(ex, std::move(how));
}

exit_code run(client_options how) {
  net::io_context io(1);
  auto result = exit_code::clean;
  net::co_spawn(io, talk(io.get_executor(), std::move(how)), [&result](std::exception_ptr error, exit_code code) {
    if (error) std::rethrow_exception(error);
    result = code;
  });
  io.run();
  return result;
}

}  // namespace

int main(int argc, char* argv[]) {
  try {
    auto how = parse_client_options({argv + 1, argv + argc});
    if (how.answer.empty()) return static_cast<int>(run(std::move(how)));
    fmt::print("{}", how.answer);
    return static_cast<int>(exit_code::clean);
  } catch (client_usage_error const& e) {
    fmt::print(stderr, "chorus-client: {}\n", e.what());
    return static_cast<int>(exit_code::bad_usage);
  } catch (std::exception const& e) {
    fmt::print(stderr, "chorus-client: {}\n", e.what());
    return static_cast<int>(exit_code::cannot_connect);
  }
}
