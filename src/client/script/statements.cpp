#include "client/script/statements.hpp"

#include <algorithm>

#include "cli/closest.hpp"
#include "client/script/arguments.hpp"

namespace chorus::script {

namespace {

using statement = decltype(step::what);

constexpr std::uint16_t normal_closure = 1000;
constexpr std::size_t longest_ping = 125;  // RFC 6455 section 5.5

statement parse_connect(scanner& in, scope& known) {
  auto user = parse_user(in);
  if (user.is_constant())
    known.users.insert(user.expand({}));
  else
    known.any_user = true;
  return connect_user{std::move(user), parse_target(in)};
}

statement parse_send(scanner& in, scope& known) {
  auto user = parse_known_user(in, known);
  return send_message{std::move(user), in.string(), false};
}

statement parse_send_binary(scanner& in, scope& known) {
  auto user = parse_known_user(in, known);
  return send_message{std::move(user), in.bytes(), true};
}

statement parse_ping(scanner& in, scope& known) {
  ping_server ping{parse_known_user(in, known), text("chorus")};
  if (in.at_end()) return ping;
  auto const where = in.here();
  ping.payload = in.string();
  if (ping.payload.is_constant() && ping.payload.expand({}).size() > longest_ping)
    throw script_error(where, "a ping carries at most 125 bytes");
  return ping;
}

void capture(matcher const& what, scope& known) {
  if (auto const* regex = std::get_if<pattern>(&what))
    known.variables.insert(regex->captures.begin(), regex->captures.end());
}

statement parse_expect_some(scanner& in, scope& known, std::size_t most) {
  expect_messages expected{parse_known_user(in, known), {}};
  do {
    auto const where = in.here();
    expected.all.emplace_back(in.expectation(), where);
  } while (!in.at_end() && expected.all.size() < most);
  for (auto const& [what, where] : expected.all) capture(what, known);
  return expected;
}

statement parse_expect(scanner& in, scope& known) { return parse_expect_some(in, known, 1); }

statement parse_expect_any_order(scanner& in, scope& known) { return parse_expect_some(in, known, 1000); }

statement parse_expect_eventually(scanner& in, scope& known) {
  auto expected = std::get<expect_messages>(parse_expect_some(in, known, 1));
  expected.eventually = true;
  return expected;
}

statement parse_expect_binary(scanner& in, scope& known) {
  expect_messages expected{parse_known_user(in, known), {}};
  auto const where = in.here();
  expected.all.emplace_back(exact_bytes{in.bytes()}, where);
  return expected;
}

statement parse_expect_close(scanner& in, scope& known) {
  expect_close expected{parse_known_user(in, known), parse_close_code(in), std::nullopt};
  if (!in.at_end()) expected.reason = in.string();
  return expected;
}

statement parse_expect_refused(scanner& in, scope&) {
  auto const status = in.count("an HTTP status such as 403", 100, 599);
  return expect_refused{static_cast<unsigned>(status), parse_target(in)};
}

statement parse_silence(scanner& in, scope& known) {
  auto user = parse_known_user(in, known);
  return expect_silence{std::move(user), parse_duration(in)};
}

statement parse_stall(scanner& in, scope& known) { return set_stalled{parse_known_user(in, known), true}; }

statement parse_unstall(scanner& in, scope& known) { return set_stalled{parse_known_user(in, known), false}; }

statement parse_close(scanner& in, scope& known) {
  close_user close{parse_known_user(in, known), normal_closure, {}};
  if (!in.at_end() && in.peek() != '"') close.code = parse_close_code(in);
  if (!in.at_end()) close.reason = in.string();
  return close;
}

statement parse_drop(scanner& in, scope& known) { return drop_user{parse_known_user(in, known)}; }

statement parse_repeat(scanner& in, scope&) {
  repeat_steps repeat{in.count("how often to repeat", 0, 1'000'000), "i", {}};
  if (!in.take("as")) return repeat;
  auto const where = in.here();
  repeat.counter = in.word("the name of the counter");
  if (!std::all_of(repeat.counter.begin(), repeat.counter.end(), is_name_character))
    throw script_error(where, "expected the name of the counter: letters, digits and _, without a $");
  return repeat;
}

struct form {
  std::string_view name;
  std::string_view arguments;
  statement (*parse)(scanner&, scope&);
};

constexpr form forms[] = {
    {"connect", R"(NAME [PATH] ["Header: value"]... [subprotocol NAME] [receive-buffer SIZE])", parse_connect},
    {"send", "NAME STRING", parse_send},
    {"send-binary", "NAME STRING or hex:BYTES", parse_send_binary},
    {"ping", "NAME [STRING]", parse_ping},
    {"expect", R"(NAME "text" or /regular expression/ or {"json": "subset"})", parse_expect},
    {"expect-eventually", R"(NAME "text" or /regular expression/ or {"json": "subset"})", parse_expect_eventually},
    {"expect-any-order", "NAME MATCHER MATCHER...", parse_expect_any_order},
    {"expect-binary", "NAME STRING or hex:BYTES", parse_expect_binary},
    {"expect-close", "NAME CODE [\"reason\"]", parse_expect_close},
    {"expect-refused", R"(STATUS [PATH] ["Header: value"]... [subprotocol NAME])", parse_expect_refused},
    {"silence", "NAME DURATION", parse_silence},
    {"stall", "NAME", parse_stall},
    {"unstall", "NAME", parse_unstall},
    {"close", "NAME [CODE] [\"reason\"]", parse_close},
    {"drop", "NAME", parse_drop},
    {"repeat", "TIMES [as COUNTER]", parse_repeat},
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

statement parse_statement(std::string_view name, position where, scanner& in, scope& known) {
  auto const form = std::find_if(std::begin(forms), std::end(forms), [&](auto const& one) { return one.name == name; });
  if (form == std::end(forms)) fail_unknown(name, where);
  try {
    auto parsed = form->parse(in, known);
    if (!in.at_end()) in.fail("there is too much in this line");
    return parsed;
  } catch (script_error const& error) {
    auto wrong = error.details();
    wrong.notes.emplace_back("usage", std::string(form->name) + " " + std::string(form->arguments));
    throw script_error(std::move(wrong));
  }
}

}  // namespace chorus::script
