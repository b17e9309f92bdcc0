#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "client/script/assignment.hpp"
#include "client/script/matcher.hpp"
#include "client/script/parser.hpp"
#include "client/script/scanner.hpp"

namespace chorus::script {

namespace {

std::vector<step> parse(std::string const& content) { return script::parse(make_source("test.chat", content)); }

/// `line:column: message` of the first error, counted from 1; empty if there is none.
std::string error_of(std::string const& content) {
  try {
    parse(content);
    return {};
  } catch (script_error const& error) {
    auto const where = error.details().where;
    return std::to_string(where.line) + ":" + std::to_string(where.offset + 1) + ": " + error.what();
  }
}

/// The same for the second line of a script in which alice is connected.
std::string error_in(std::string const& line) { return error_of("connect alice\n" + line); }

step only(std::string const& line) { return parse("connect alice\n" + line).at(1); }

std::string sent(std::string const& written, variables const& known = {}) {
  std::set<std::string> names;
  for (auto const& [name, value] : known) names.insert(name);
  return scanner(written, 1, names).string().expand(known);
}

matcher expectation(std::string const& written, std::set<std::string> const& known = {}) {
  return scanner(written, 1, known).expectation();
}

bool matches(std::string const& written, std::string const& came) {
  return match(expectation(written), message{false, came}, {}).has_value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(script_strings)

BOOST_AUTO_TEST_CASE(escapes) {
  BOOST_TEST(sent(R"("")") == "");
  BOOST_TEST(sent(R"("a\n\t\"\\b")") == "a\n\t\"\\b");
  BOOST_TEST(sent(R"("\u{1F3B9}\u{e9}\u{41}\u{20AC}")") == "\xF0\x9F\x8E\xB9\xC3\xA9\x41\xE2\x82\xAC");
  BOOST_TEST(sent(R"("\xff\x00")") == std::string("\xff\0", 2));
  BOOST_TEST(sent(R"("a # b")") == "a # b");
}

BOOST_AUTO_TEST_CASE(variables_and_dollars) {
  variables const known{{"a", "1"}, {"ab", "2"}};
  BOOST_TEST(sent("\"$a $ab ${a}b $$a $$$a\"", known) == "1 2 1b $a $1");
  BOOST_TEST(sent("\"\\u{24}a\"", known) == "$a");
}

BOOST_AUTO_TEST_CASE(repetition_and_joining) {
  BOOST_TEST(sent(R"("ab" * 3)") == "ababab");
  BOOST_TEST(sent(R"("x" * 64KiB)").size() == 65536U);
  BOOST_TEST(sent(R"("x" * 0)") == "");
  BOOST_TEST(sent(R"("<" + "ab" * 2 + ">")") == "<abab>");
  BOOST_TEST(sent(R"("$i," * 3)", {{"i", "7"}}) == "7,7,7,");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(script_parser)

BOOST_AUTO_TEST_CASE(the_example) {
  auto const steps = parse(
      "# two people meet\n\n"
      "connect alice\n"
      "expect  alice \"You are connected! There are 1 users here.\"\r\n"
      "\tconnect bob  # a comment\n"
      "send    alice \"hello\"\n"
      "expect  alice /^\\[user0\\]: h.llo$/\n"
      "silence bob 200ms\n"
      "close   bob 1000");
  BOOST_REQUIRE(steps.size() == 7U);
  BOOST_TEST(steps[0].where.line == 3U);
  BOOST_TEST(steps[2].where.offset == 1U);
  BOOST_TEST((steps[5].duration == std::chrono::milliseconds(200)));
  BOOST_TEST(steps[6].code == 1000U);
  for (auto const& one : steps) BOOST_TEST((one.deadline == std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_CASE(connect_with_everything) {
  auto const all = only(
      R"(connect bob /chat/den?name=b "Origin: https://a.example" "X-Y:z" subprotocol chorus.v1 receive-buffer 4KiB)");
  BOOST_TEST(all.user.expand({}) == "bob");
  BOOST_TEST(all.to.path.expand({}) == "/chat/den?name=b");
  BOOST_REQUIRE(all.to.headers.size() == 2U);
  BOOST_TEST(all.to.headers[0].first == "Origin");
  BOOST_TEST(all.to.headers[0].second.expand({}) == "https://a.example");
  BOOST_TEST(all.to.headers[1].second.expand({}) == "z");
  BOOST_TEST(all.to.subprotocol.expand({}) == "chorus.v1");
  BOOST_TEST(all.to.receive_buffer == 4096);
}

BOOST_AUTO_TEST_CASE(deadlines) {
  auto const steps =
      parse("connect a\nwithin 200ms ping a\nping a\nwithin 1s\nping a\nwithin 2s expect a \"x\"\nping a");
  std::vector<int> seconds;
  for (auto const& one : steps) seconds.push_back(static_cast<int>(one.deadline.count()));
  BOOST_TEST(seconds == (std::vector<int>{5000, 200, 5000, 1000, 2000, 1000}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(repeats_nest) {
  auto const outer = only("repeat 3\nconnect u$i\nrepeat 2 as n\nsend u$i \"$i $n\"\nend\nend\nclose alice");
  BOOST_TEST(outer.times == 3U);
  BOOST_TEST(outer.counter == "i");
  BOOST_REQUIRE(outer.body.size() == 2U);
  auto const& inner = outer.body[1];
  BOOST_TEST(inner.counter == "n");
  BOOST_TEST(inner.body.at(0).data.expand({{"i", "1"}, {"n", "2"}}) == "1 2");
}

BOOST_AUTO_TEST_CASE(statements_with_choices) {
  BOOST_TEST(only(R"(expect-any-order alice "a" /b/ {"c":1} [1])").expected.size() == 4U);
  BOOST_TEST((only(R"(expect-eventually alice "a")").what == verb::expect_eventually));
  BOOST_TEST(only("send-binary alice hex:00ff").data.expand({}) == std::string("\0\xff", 2));
  BOOST_TEST(only(R"(expect-refused 403 /x "A: b")").code == 403U);
  BOOST_TEST(!only("expect-close alice 1009").reason);
  BOOST_TEST(only(R"(expect-close alice 1011 "Ping timeout")").reason->expand({}) == "Ping timeout");
  BOOST_TEST(only(R"(close alice "bye")").reason->expand({}) == "bye");
  BOOST_TEST(only("close alice 4999").code == 4999U);
}

BOOST_AUTO_TEST_CASE(json_is_sent_as_it_is_written) {
  auto const json = only(R"(send alice {"type": "say", "text": "a $$5 \u00e9", "n": [1, 2.5]} # spoken)").json;
  BOOST_REQUIRE(json);
  BOOST_TEST(boost::json::serialize(expand(*json, {})) == R"({"type":"say","text":"a $5 é","n":[1,2.5E0]})");
  BOOST_TEST(error_in(R"(send alice {"a": "$?b"})") == "2:12: what is sent captures nothing");
  BOOST_TEST(error_in(R"(send alice {"a": "$b"})") == "2:12: there is no variable $b here");
}

BOOST_AUTO_TEST_CASE(subprotocols_are_expected) {
  BOOST_TEST(only("expect-subprotocol alice chorus.v1").to.subprotocol.expand({}) == "chorus.v1");
  BOOST_TEST(only("expect-subprotocol alice # none").to.subprotocol.empty());
}

BOOST_AUTO_TEST_CASE(captures_are_known_below) {
  BOOST_TEST(error_in("expect alice /(?<me>\\w+)/\nsend alice \"$me\"") == "");
  BOOST_TEST(error_in("send alice \"$me\"\nexpect alice /(?<me>\\w+)/") == "2:13: there is no variable $me here");
  BOOST_TEST(error_in("repeat 2 as n\nend\nsend alice \"$n\"") == "4:13: there is no variable $n here");
  BOOST_TEST(error_in(R"(expect alice {"a":["$x"]})") == "2:14: there is no variable $x here");
  BOOST_TEST(error_in("expect alice {\"a\":\"$?b\"}\nsend alice \"$b\"\nconnect bob /chat?since=$b:1") == "");
  BOOST_TEST(error_in(R"(expect alice {"a":"$?"})").starts_with("2:14: expected a capture such as \"$?name\""));
  BOOST_TEST(error_in(R"(expect alice {"a":"$?b c"})").starts_with("2:14: expected a capture"));
  BOOST_TEST(error_in("expect alice /${x}$/") == "2:15: there is no variable $x here");
}

BOOST_AUTO_TEST_CASE(users_are_known_below) {
  BOOST_TEST(error_of("send alice \"x\"") == "1:6: nobody is connected as 'alice' above");
  BOOST_TEST(error_in("ping alcie") == "2:6: nobody is connected as 'alcie' above; did you mean 'alice'?");
  BOOST_TEST(error_in("repeat 2\nconnect u$i\nend\nping u1") == "");
}

BOOST_AUTO_TEST_CASE(errors_say_what_would_be_right) {
  BOOST_TEST(error_in("expct alice") == "2:1: unknown statement 'expct'; did you mean 'expect'?");
  BOOST_TEST(error_in("sned alice") == "2:1: unknown statement 'sned'; did you mean 'send'?");
  BOOST_TEST(error_in("zzzzzzzzzz alice") == "2:1: unknown statement 'zzzzzzzzzz'");
  BOOST_TEST(error_in("send") == "2:5: expected the name of a user");
  BOOST_TEST(error_in("send alice hi") == "2:12: expected a string in quotes, such as \"hello\"");
  BOOST_TEST(error_in("send alice \"hi") == "2:12: this string has no closing quote");
  BOOST_TEST(error_in("send alice \"hi\" \"ho\"") == "2:17: there is too much in this line");
  BOOST_TEST(error_in("send alice \"hi\"x") == "2:16: expected a blank or the end of the line");
  BOOST_TEST(error_in("expect alice /hi") == "2:14: this regular expression has no closing slash");
  BOOST_TEST(error_in("expect alice /(/").starts_with("2:15: bad regular expression: "));
  BOOST_TEST(error_in("expect alice {\"a\":1").starts_with("2:14: this JSON has no end"));
  BOOST_TEST(error_in("expect alice {a:1}").starts_with("2:15: this is no JSON"));
  BOOST_TEST(error_in("silence alice soon").starts_with("2:15: expected a duration"));
  BOOST_TEST(error_in("within soon ping alice").starts_with("2:8: expected a duration"));
  BOOST_TEST(error_in("expect-close alice 99").starts_with("2:20: expected a number from 1000 to 4999"));
  BOOST_TEST(error_in("expect-refused mallory").starts_with("2:16: expected a number from 100 to 599"));
  BOOST_TEST(error_in("connect bob chat").starts_with("2:13: expected [PATH]"));
  BOOST_TEST(error_in("connect bob \"Origin\"").starts_with("2:13: expected a header"));
  BOOST_TEST(error_in("send alice \"\\q\"").starts_with("2:13: unknown escape"));
  BOOST_TEST(error_in("send alice \"$ 5\"").starts_with("2:13: expected a variable"));
  BOOST_TEST(error_in("send alice \"\\u{110000}\"").starts_with("2:13: expected a character by its number"));
  BOOST_TEST(error_in("send alice \"x\" * many").starts_with("2:18: expected how often"));
  BOOST_TEST(error_in("send-binary alice hex:0").starts_with("2:19: expected bytes"));
  BOOST_TEST(error_in("repeat 2\nping alice") == "2:1: this 'repeat' has no 'end'");
  BOOST_TEST(error_in("repeat 2 as $n\nend").starts_with("2:13: expected the name of the counter"));
  BOOST_TEST(error_in("end") == "2:1: 'end' without a 'repeat'");
  BOOST_TEST(error_in("ping alice \"x\" * 126").starts_with("2:12: a ping carries at most 125 bytes"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(script_matcher)

BOOST_AUTO_TEST_CASE(exact) {
  BOOST_TEST(matches(R"("a")", "a"));
  BOOST_TEST(!matches(R"("a")", "ab"));
  BOOST_TEST(!match(expectation(R"("a")"), message{true, "a"}, {}).has_value());
}

BOOST_AUTO_TEST_CASE(regular_expressions) {
  BOOST_TEST(matches("/b/", "abc"));
  BOOST_TEST(!matches("/^b/", "a\nb"));
  BOOST_TEST(matches("/^.$/", "\xF0\x9F\x8E\xB9"));
  BOOST_TEST(matches("/^a\\/b [#\"]$/", "a/b #"));
  auto const found =
      match(expectation(R"(/\[(?<me>\w+)\] (?<rest>.*)|(?<other>x)/)"), message{false, "[user0] né"}, {});
  BOOST_TEST((found == variables{{"me", "user0"}, {"rest", "né"}}));
  auto const quoted = expectation("/^${me}$/", {"me"});
  BOOST_TEST(match(quoted, message{false, "a.b"}, {{"me", "a.b"}}).has_value());
  BOOST_TEST(!match(quoted, message{false, "axb"}, {{"me", "a.b"}}).has_value());
}

BOOST_AUTO_TEST_CASE(json_subsets) {
  BOOST_TEST(matches(R"({"a":1})", R"({"b":2,"a":1.0})"));
  BOOST_TEST(matches(R"({"a":{"b":[{"c":null}]}})", R"({"a":{"b":[{"c":null,"d":1}],"e":2}})"));
  BOOST_TEST(matches("[]", " [] "));
  for (auto const* other : {R"({"a":2})", R"({"b":1})", R"({"a":"1"})", "[1]", "1", "", "{", R"({"a":1} x)"})
    BOOST_TEST(!matches(R"({"a":1})", other), other);
  BOOST_TEST(!matches("[1]", "[1,2]"));
  auto const named = expectation(R"({"from":"$me","$me":"$$"})", {"me"});
  BOOST_TEST(match(named, message{false, R"({"from":"bob","$me":"$"})"}, {{"me", "bob"}}).has_value());
}

BOOST_AUTO_TEST_CASE(json_captures) {
  auto const written = expectation(R"({"a":"$?a","in":[{"n":"$?n"}],"b":"$?b"})");
  auto const found = match(written, message{false, R"({"a":"x y","b":{"c":[1]},"in":[{"n":1764097282000}]})"}, {});
  BOOST_TEST((found == variables{{"a", "x y"}, {"n", "1764097282000"}, {"b", R"({"c":[1]})"}}));
  BOOST_TEST(!match(written, message{false, R"({"a":1,"in":[{"n":1}]})"}, {}).has_value());
  BOOST_TEST(describe(written, {}) == R"(at least {"a":"$?a","in":[{"n":"$?n"}],"b":"$?b"})");
}

BOOST_AUTO_TEST_CASE(a_variable_is_a_number_where_one_stands) {
  variables const known{{"n", "7"}};
  auto const came = [&](std::string const& written) {
    return match(expectation(written, {"n"}), message{false, R"({"a":7,"b":"7","c":true})"}, known).has_value();
  };
  BOOST_TEST(came(R"({"a":"$n","b":"${n}"})"));
  BOOST_TEST(!came(R"({"a":"7"})"));
  BOOST_TEST(!came(R"({"a":"$n$n"})"));
  BOOST_TEST(!came(R"({"c":"$n"})"));
}

BOOST_AUTO_TEST_CASE(any_order_finds_the_assignment) {
  assignment met(2);
  BOOST_TEST(met.add({0, 1}));
  BOOST_TEST(met.add({0}));
  BOOST_TEST(!met.add({0, 1}));
  BOOST_TEST((met.owners() == std::vector<std::size_t>{1, 0}));
}

BOOST_AUTO_TEST_CASE(messages_look_like_a_compilers) {
  auto const script = make_source("a.chat", "\tsay \"é\" x\n");
  diagnostic const wrong{{1, 10}, "no", {{"expected", "one\ntwo"}}};
  BOOST_TEST(format(wrong, script) ==
             "a.chat:1:10: error: no\n"
             "   1 | \tsay \"é\" x\n"
             "     | \t        ^\n"
             "  expected: one\n"
             "            two\n");
}

BOOST_AUTO_TEST_CASE(quotes_are_safe_and_short) {
  BOOST_TEST(quote("a\"\\\n\x1b\xff é") == R"("a\"\\\n\x1b\xff é")");
  BOOST_TEST(quote("\xC2\x9B") == R"("\u{9b}")");
  BOOST_TEST(quote(std::string(65536, 'x')) == "\"" + std::string(200, 'x') + "\"... (65536 bytes)");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::script
