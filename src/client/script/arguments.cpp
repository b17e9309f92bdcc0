#include "client/script/arguments.hpp"

#include <stdexcept>

#include "cli/closest.hpp"
#include "cli/values.hpp"

namespace chorus::script {

namespace {

constexpr std::size_t largest_buffer = 1 << 30;
constexpr std::string_view target_usage = R"([PATH] ["Header: value"]... [subprotocol NAME] [receive-buffer SIZE])";

/// `"Header: value"`
std::pair<std::string, text> header(scanner& in) {
  auto const where = in.here();
  auto const whole = in.string();
  auto [name, value] = whole.split(':');
  if (name.empty() || name.find_first_of(" \t$") != name.npos)
    throw script_error(where, R"(expected a header such as "Origin: https://example.org")");
  return {std::move(name), std::move(value)};
}

std::size_t parse_size(scanner& in) {
  auto const where = in.here();
  try {
    return cli::parse_size(in.word("a size such as 4KiB"), 1, largest_buffer);
  } catch (std::invalid_argument const& error) {
    throw script_error(where, error.what());
  }
}

}  // namespace

text parse_user(scanner& in) { return in.word_with_variables("the name of a user"); }

text parse_known_user(scanner& in, scope const& known) {
  auto const where = in.here();
  auto const name = parse_user(in);
  if (!name.is_constant() || known.any_user) return name;
  auto const literal = name.expand({});
  if (known.users.contains(literal)) return name;
  auto const similar = cli::closest(literal, {known.users.begin(), known.users.end()});
  throw script_error(where, "nobody is connected as '" + literal + "' above" +
                                (similar.empty() ? "" : "; did you mean '" + std::string(similar) + "'?"));
}

target parse_target(scanner& in) {
  target to;
  if (in.peek() == '/') to.path = in.word_with_variables("a path");
  while (!in.at_end()) {
    if (in.peek() == '"')
      to.headers.push_back(header(in));
    else if (in.take("subprotocol"))
      to.subprotocol = in.word_with_variables("the name of a subprotocol");
    else if (in.take("receive-buffer"))
      to.receive_buffer = static_cast<int>(parse_size(in));
    else
      in.fail("expected " + std::string(target_usage));
  }
  return to;
}

std::uint16_t parse_close_code(scanner& in) {
  return static_cast<std::uint16_t>(in.count("a close code such as 1000", 1000, 4999));
}

std::chrono::milliseconds parse_duration(scanner& in) {
  auto const where = in.here();
  try {
    return cli::parse_duration(in.word("a duration such as 5s or 200ms"));
  } catch (std::invalid_argument const& error) {
    throw script_error(where, error.what());
  }
}

}  // namespace chorus::script
