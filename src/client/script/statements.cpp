#include "client/script/statements.hpp"

#include <algorithm>

#include "cli/closest.hpp"
#include "cli/option.hpp"
#include "client/connection.hpp"

namespace chorus::script {

namespace {

constexpr std::size_t longest_ping = 125;  // RFC 6455 section 5.5
constexpr std::size_t largest_buffer = 1 << 30;
constexpr std::size_t most_expected = 1000;

// Each of these takes one argument, or what is left of the line.

void new_user(scanner& in, scope& known, step& to) {
  to.user = in.word_with_variables("the name of a user");
  if (to.user.is_constant())
    known.users.insert(to.user.expand({}));
  else
    known.any_user = true;
}

void known_user(scanner& in, scope& known, step& to) {
  auto const where = in.here();
  to.user = in.word_with_variables("the name of a user");
  if (!to.user.is_constant() || known.any_user) return;
  auto const name = to.user.expand({});
  if (known.users.contains(name)) return;
  auto const similar = cli::closest(name, {known.users.begin(), known.users.end()});
  throw script_error(where, "nobody is connected as '" + name + "' above" +
                                (similar.empty() ? "" : "; did you mean '" + std::string(similar) + "'?"));
}

/// `"Header: value"`
std::pair<std::string, text> parse_header(scanner& in) {
  auto const where = in.here();
  auto [name, value] = in.string().split(':');
  if (name.empty() || name.find_first_of(" \t$") != name.npos)
    throw script_error(where, R"(expected a header such as "Origin: https://example.org")");
  return {std::move(name), std::move(value)};
}

void target(scanner& in, scope&, step& to) {
  if (in.peek() == '/') to.to.path = in.word_with_variables("a path");
  while (!in.at_end()) {
    if (in.peek() == '"')
      to.to.headers.push_back(parse_header(in));
    else if (in.take("subprotocol"))
      to.to.subprotocol = in.word_with_variables("the name of a subprotocol");
    else if (in.take("receive-buffer"))
      to.to.receive_buffer = static_cast<int>(in.value("a size such as 4KiB", cli::size(1, largest_buffer)));
    else
      in.fail(R"(expected [PATH] ["Header: value"]... [subprotocol NAME] [receive-buffer SIZE])");
  }
}

void string_or_json(scanner& in, scope&, step& to) {
  if (in.peek() != '{' && in.peek() != '[') {
    to.data = in.string();
    return;
  }
  to.json = in.json();
  if (!captures(*to.json).empty()) throw script_error(to.json->where, "what is sent captures nothing");
}

void subprotocol_if_any(scanner& in, scope&, step& to) {
  if (!in.at_end()) to.to.subprotocol = in.word_with_variables("the name of a subprotocol");
}

void bytes(scanner& in, scope&, step& to) { to.data = in.bytes(); }

void payload(scanner& in, scope&, step& to) {
  to.data = text("chorus");
  if (in.at_end()) return;
  auto const where = in.here();
  to.data = in.string();
  if (to.data.is_constant() && to.data.expand({}).size() > longest_ping)
    throw script_error(where, "a ping carries at most 125 bytes");
}

void expectation(scanner& in, scope& known, step& to) {
  auto const where = in.here();
  to.expected.emplace_back(in.expectation(), where);
  std::visit(
      [&known](auto const& one) {
        if constexpr (requires { one.captures; }) known.variables.insert(one.captures.begin(), one.captures.end());
      },
      to.expected.back().first);
}

void expectations(scanner& in, scope& known, step& to) {
  auto captured = known;
  do expectation(in, captured, to);
  while (!in.at_end() && to.expected.size() < most_expected);
  known = std::move(captured);
}

void expected_bytes(scanner& in, scope&, step& to) {
  auto const where = in.here();
  to.expected.emplace_back(exact{in.bytes(), true}, where);
}

void close_code(scanner& in, scope&, step& to) {
  to.code = static_cast<unsigned>(in.value("a close code such as 1000", cli::count(1000, 4999)));
}

void close_code_if_any(scanner& in, scope& known, step& to) {
  to.code = normal_closure;
  if (!in.at_end() && in.peek() != '"') close_code(in, known, to);
}

void reason_if_any(scanner& in, scope&, step& to) {
  if (!in.at_end()) to.reason = in.string();
}

void status(scanner& in, scope&, step& to) {
  to.code = static_cast<unsigned>(in.value("an HTTP status such as 403", cli::count(100, 599)));
}

void duration(scanner& in, scope&, step& to) { to.duration = parse_duration(in); }

void times(scanner& in, scope&, step& to) { to.times = in.value("how often to repeat", cli::count(0, 1'000'000)); }

void counter(scanner& in, scope&, step& to) {
  to.counter = "i";
  if (!in.take("as")) return;
  auto const where = in.here();
  to.counter = in.word("the name of the counter");
  if (!std::all_of(to.counter.begin(), to.counter.end(), is_name_character))
    throw script_error(where, "expected the name of the counter: letters, digits and _, without a $");
}

void nothing(scanner&, scope&, step&) {}

using argument = void (*)(scanner& in, scope& known, step& to);

/// How a statement is written.
struct form {
  std::string_view name;
  std::string_view usage;  ///< what follows the name, for people
  verb what;
  argument first;
  argument second = nothing;
  argument third = nothing;
};

constexpr form forms[] = {
    {"connect", R"(NAME [PATH] ["Header: value"]... [subprotocol NAME] [receive-buffer SIZE])", verb::connect, new_user,
     target},
    {"send", R"(NAME STRING or {"json": ...})", verb::send, known_user, string_or_json},
    {"send-binary", "NAME STRING or hex:BYTES", verb::send_binary, known_user, bytes},
    {"ping", "NAME [STRING]", verb::ping, known_user, payload},
    {"expect", R"(NAME "text" or /regular expression/ or {"json": "subset"})", verb::expect, known_user, expectation},
    {"expect-eventually", R"(NAME "text" or /regular expression/ or {"json": "subset"})", verb::expect_eventually,
     known_user, expectation},
    {"expect-any-order", "NAME MATCHER MATCHER...", verb::expect, known_user, expectations},
    {"expect-binary", "NAME STRING or hex:BYTES", verb::expect, known_user, expected_bytes},
    {"expect-subprotocol", "NAME [SUBPROTOCOL]", verb::expect_subprotocol, known_user, subprotocol_if_any},
    {"expect-close", "NAME CODE [\"reason\"]", verb::expect_close, known_user, close_code, reason_if_any},
    {"expect-refused", R"(STATUS [PATH] ["Header: value"]... [subprotocol NAME])", verb::expect_refused, status,
     target},
    {"silence", "NAME DURATION", verb::silence, known_user, duration},
    {"stall", "NAME", verb::stall, known_user},
    {"unstall", "NAME", verb::unstall, known_user},
    {"close", "NAME [CODE] [\"reason\"]", verb::close, known_user, close_code_if_any, reason_if_any},
    {"drop", "NAME", verb::drop, known_user},
    {"repeat", "TIMES [as COUNTER]", verb::repeat, times, counter},
};

[[noreturn]] void fail_unknown(std::string_view name, position where) {
  std::vector<std::string_view> all{"within", "end"};
  for (auto const& form : forms) all.push_back(form.name);
  auto const similar = cli::closest(name, all);
  diagnostic wrong{where, "unknown statement '" + std::string(name) + "'"};
  if (!similar.empty()) {
    wrong.message += "; did you mean '" + std::string(similar) + "'?";
    throw script_error(wrong);
  }
  std::string list;
  for (auto const one : all) list += (list.empty() ? "" : ", ") + std::string(one);
  wrong.notes.emplace_back("there are", list);
  throw script_error(wrong);
}

}  // namespace

void parse_statement(std::string_view name, scanner& in, scope& known, step& to) {
  auto const form = std::find_if(std::begin(forms), std::end(forms), [&](auto const& one) { return one.name == name; });
  if (form == std::end(forms)) fail_unknown(name, to.where);
  to.what = form->what;
  try {
    for (auto const take : {form->first, form->second, form->third}) take(in, known, to);
    if (!in.at_end()) in.fail("there is too much in this line");
  } catch (script_error const& error) {
    auto wrong = error.details();
    wrong.notes.emplace_back("usage", std::string(form->name) + " " + std::string(form->usage));
    throw script_error(std::move(wrong));
  }
}

std::chrono::milliseconds parse_duration(scanner& in) {
  return in.value("a duration such as 5s or 200ms", cli::parse_duration);
}

}  // namespace chorus::script
