#pragma once
// How programs end.

#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace chorus::cli {

enum exit_code : int { success = 0, failure = 1, bad_usage = 2 };

/// What is wrong with how the program was called, and what would be right.
struct usage_error : std::runtime_error {
  using runtime_error::runtime_error;
};

/// The body of `main`: calls `parse()` for the options, prints their `answer` if there is one, and otherwise returns
/// what `act(options)` returns. An exception becomes a line on standard error, and an exit code.
template <class Parse, class Act>
int run(std::string_view program, Parse parse, Act act) {
  auto const complain = [program](std::exception const& e) { fmt::print(stderr, "{}: {}\n", program, e.what()); };
  try {
    auto options = parse();
    if (options.answer.empty()) return act(std::move(options));
    fmt::print("{}", options.answer);
    return success;
  } catch (usage_error const& e) {
    complain(e);
    return bad_usage;
  } catch (std::exception const& e) {
    complain(e);
    return failure;
  }
}

}  // namespace chorus::cli
