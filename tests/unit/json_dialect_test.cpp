#include "protocol/json_dialect.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cursor.hpp"
#include "protocol/name.hpp"

namespace chorus {

using namespace std::string_literals;

namespace {

json_dialect const json;

/// A final text frame of less than 64 KiB, made by hand (RFC 6455 section 5.2).
std::string framed(std::string_view payload) {
  auto const size = payload.size();
  auto header = "\x81"s;
  if (size > 125) header += {'\x7e', static_cast<char>(size >> 8)};
  return (header + static_cast<char>(size & 0xff)).append(payload);
}

event said(std::string text, std::string id = {}) {
  return {.seq = 7,
          .at = 1764097282000,
          .users = 3,
          .what = event::kind::message,
          .announced = true,
          .name = "bob",
          .text = std::move(text),
          .id = std::move(id)};
}

event presence(event::kind what, std::string to = {}) {
  return {.seq = 9, .at = 5, .users = 3, .what = what, .announced = true, .name = "bob", .text = std::move(to)};
}

/// The one event as JSON.
std::string encoded(event const& one) {
  auto const frame = json.encode({&one, 1});
  auto const payload = frame.substr(frame.size() < 2 + 126 ? 2 : 4);
  BOOST_TEST(frame == framed(payload));
  return payload;
}

command decoded(std::string_view payload) { return json.decode(opcode::text, payload); }

template <class Wanted>
Wanted decoded_as(std::string_view payload) {
  auto const result = decoded(payload);
  BOOST_TEST_REQUIRE(std::holds_alternative<Wanted>(result), payload);
  return std::get<Wanted>(result);
}

bad_request refused(std::string_view payload) { return decoded_as<bad_request>(payload); }

/// For the reason that begins so.
void refuses(std::string_view payload, std::string_view reason) {
  auto const detail = refused(payload).detail;
  BOOST_TEST(detail.starts_with(reason), payload << ": " << detail);
}

std::string quoted(std::string_view key, std::string_view value) {
  return R"(")" + std::string(key) + R"(":")" + std::string(value) + R"(")";
}

/// An object or array of so many levels.
std::string nested(std::size_t levels, char open, char close) {
  auto const opening = open == '{' ? R"({"a":)"s : "["s;
  std::string all;
  for (std::size_t i = 1; i < levels; ++i) all += opening;
  all += std::string{open, close};
  return all + std::string(levels - 1, close);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_events)

BOOST_AUTO_TEST_CASE(welcome_says_where_and_who_one_is) {
  BOOST_TEST(json.greeting({"lobby", "bob", 3, 1764097282000, 0, false}) ==
             framed(R"({"type":"welcome","room":"lobby","name":"bob","users":3,"epoch":1764097282000,"seq":0,)"
                    R"("recovered":false})"));
  BOOST_TEST(json.greeting({"a", "\u5f20", 1, 0, max_integer, true}) ==
             framed(R"({"type":"welcome","room":"a","name":")"
                    "\u5f20"
                    R"(","users":1,"epoch":0,"seq":9007199254740992,"recovered":true})"));
}

BOOST_AUTO_TEST_CASE(messages_have_an_id_if_they_were_said_with_one) {
  BOOST_TEST(encoded(said("hi", "x1")) ==
             R"({"type":"message","seq":7,"from":"bob","text":"hi","at":1764097282000,"id":"x1"})");
  BOOST_TEST(encoded(said("")) == R"({"type":"message","seq":7,"from":"bob","text":"","at":1764097282000})");
}

BOOST_AUTO_TEST_CASE(presence_says_how_many_are_left) {
  BOOST_TEST(encoded(presence(event::kind::joined)) == R"({"type":"joined","seq":9,"name":"bob","users":3,"at":5})");
  BOOST_TEST(encoded(presence(event::kind::left)) == R"({"type":"left","seq":9,"name":"bob","users":3,"at":5})");
  BOOST_TEST(encoded(presence(event::kind::renamed, "al")) ==
             R"({"type":"renamed","seq":9,"name":"bob","to":"al","users":3,"at":5})");
}

BOOST_AUTO_TEST_CASE(each_event_is_a_frame_in_order) {
  std::vector const events{presence(event::kind::joined), said("hi")};
  BOOST_TEST(json.encode(events) ==
             "\x81\x37{\"type\":\"joined\",\"seq\":9,\"name\":\"bob\",\"users\":3,\"at\":5}"
             "\x81\x46{\"type\":\"message\",\"seq\":7,\"from\":\"bob\",\"text\":\"hi\",\"at\":1764097282000}"s);
}

BOOST_AUTO_TEST_CASE(long_ones_have_a_longer_header) {
  auto const frame = json.encode(std::vector{said(std::string(65536, 'x'))});
  auto const payload =
      R"({"type":"message","seq":7,"from":"bob","text":")" + std::string(65536, 'x') + R"(","at":1764097282000})";
  BOOST_TEST(payload.size() == 65536U + 0x44);
  BOOST_TEST((frame == "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x44"s + payload));
}

BOOST_AUTO_TEST_CASE(what_is_not_announced_is_left_out) {
  auto silent = presence(event::kind::joined);
  silent.announced = false;
  event const nothing{.seq = 8};
  BOOST_TEST(json.encode({}) == "");
  BOOST_TEST(json.encode(std::vector{silent, nothing}) == "");
  BOOST_TEST(json.encode(std::vector{silent, said("hi"), nothing}) == framed(encoded(said("hi"))));
}

BOOST_AUTO_TEST_CASE(turns_of_presence_are_told_in_their_place) {
  auto goes_quiet = presence(event::kind::joined);
  goes_quiet.announced = false;
  goes_quiet.turns_presence = true;
  BOOST_TEST(json.encode(std::vector{goes_quiet}) == framed(R"({"type":"users","users":3})"));
  auto speaks_again = presence(event::kind::left);
  speaks_again.turns_presence = true;
  BOOST_TEST(json.encode(std::vector{speaks_again, said("hi")}) ==
             framed(R"({"type":"left","seq":9,"name":"bob","users":3,"at":5})") +
                 framed(R"({"type":"users","users":3})") + framed(encoded(said("hi"))));
}

BOOST_AUTO_TEST_CASE(text_is_escaped_only_where_it_must_be) {
  auto const text_of = [](std::string text) {
    auto const whole = encoded(said(std::move(text)));
    auto const begin = whole.find(R"("text":)") + 7;
    return whole.substr(begin, whole.find(R"(,"at":)") - begin);
  };
  BOOST_TEST(text_of("a\"b\\c/d") == R"("a\"b\\c/d")");
  BOOST_TEST(text_of("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  BOOST_TEST(text_of("\0\x01\x1f"s) == R"("\u0000\u0001\u001f")");
  BOOST_TEST(text_of("\x7f<&>'") == "\"\x7f<&>'\"");
  BOOST_TEST(text_of("\u00e9\u2028\u2029\U0001f44b\U0010ffff") == "\"\u00e9\u2028\u2029\U0001f44b\U0010ffff\"");
}

/// Names, ids and details too.
BOOST_AUTO_TEST_CASE(whatever_is_said_comes_back_whole) {
  std::string every;
  for (char c = 0; c != 0x7f; ++c) every += c;
  every += "\x7f\u0080\u07ff\u2028\uffff\U00010000";
  auto e = said(every, every);
  e.name = every;
  auto const o = boost::json::parse(encoded(e)).as_object();
  for (auto const* field : {"from", "text", "id"}) BOOST_TEST(o.at(field).as_string() == every);
  auto const refusal_frame = json.error(refusal::unavailable, every, every);
  auto const answer = boost::json::parse(refusal_frame.substr(4)).as_object();
  BOOST_TEST(answer.at("detail").as_string() == every);
  BOOST_TEST(answer.at("id").as_string() == every);
}

BOOST_AUTO_TEST_CASE(gap_names_the_range) {
  BOOST_TEST(json.gap({3, 9, 5}) == framed(R"({"type":"gap","from":3,"to":9})"));
  BOOST_TEST(json.gap({3, 3, 0}) == framed(R"({"type":"gap","from":3,"to":3})"));
}

BOOST_AUTO_TEST_CASE(users_are_counted_and_named_where_that_was_asked_for) {
  std::vector<std::string> const names{"al", "bob"};
  std::vector<std::string> const none;
  std::vector<std::string> const one{"\"al\""};
  BOOST_TEST(json.users(2, &names) == framed(R"({"type":"users","users":2,"names":["al","bob"]})"));
  BOOST_TEST(json.users(1, &one) == framed(R"({"type":"users","users":1,"names":["\"al\""]})"));
  BOOST_TEST(json.users(0, &none) == framed(R"({"type":"users","users":0,"names":[]})"));
  BOOST_TEST(json.users(2000, nullptr) == framed(R"({"type":"users","users":2000})"));
}

BOOST_AUTO_TEST_CASE(replayed_names_what_was_covered) {
  BOOST_TEST(json.replayed(3, 9) == framed(R"({"type":"replayed","from":3,"to":9})"));
}

BOOST_AUTO_TEST_CASE(error_has_code_detail_and_the_id_of_the_command) {
  BOOST_TEST(json.error(refusal::bad_request, "No \"text\".", "x1") ==
             framed(R"({"type":"error","code":"bad_request","detail":"No \"text\".","id":"x1"})"));
  BOOST_TEST(json.error(refusal::unavailable, "Later.", "") ==
             framed(R"({"type":"error","code":"unavailable","detail":"Later."})"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(json_commands)

BOOST_AUTO_TEST_CASE(say_has_text_and_maybe_an_id) {
  auto const whole = decoded_as<say>(R"({"type":"say","text":"hi","id":"x1"})");
  BOOST_TEST(whole.text == "hi");
  BOOST_TEST(whole.id == "x1");
  auto const least = decoded_as<say>(R"( { "text" : "" , "type" : "say" } )");
  BOOST_TEST(least.text == "");
  BOOST_TEST(least.id == "");
  auto const escapes = decoded_as<say>(R"({"type":"s\u0061y","text":"\"\\\/\b\f\n\r\t\u0000\u2028\ud83d\udc4b"})");
  BOOST_TEST(escapes.text == "\"\\/\b\f\n\r\t\0\u2028\U0001f44b"s);
  auto const big = std::string(100'000, 'x');
  BOOST_TEST((decoded_as<say>(R"({"type":"say","text":")" + big + R"("})").text == big));
}

BOOST_AUTO_TEST_CASE(say_without_text_is_refused) {
  for (auto const* rest : {"", R"(,"text":null)", R"(,"text":1)", R"(,"text":["hi"])", R"(,"text":{})",
                           R"(,"text":true)", R"(,"Text":"hi")"})
    refuses(R"({"type":"say")"s + rest + "}", "say needs text");
}

BOOST_AUTO_TEST_CASE(users_needs_nothing) {
  decoded_as<ask_users>(R"({"type":"users"})");
  decoded_as<ask_users>(R"({"type":"users","names":false,"id":"x"})");
}

BOOST_AUTO_TEST_CASE(rename_has_a_normalized_name) {
  BOOST_TEST(decoded_as<rename>(R"({"type":"rename","name":"A\u0301lice"})").name == "\u00c1lice");
  BOOST_TEST(decoded_as<rename>(R"({"type":"rename","name":")" + std::string(32, 'x') + R"("})").name ==
             std::string(32, 'x'));
}

BOOST_AUTO_TEST_CASE(rename_to_what_is_no_name_is_refused) {
  for (auto const* rest : {"", R"(,"name":null)", R"(,"name":7)", R"(,"name":["bob"])"})
    refuses(R"({"type":"rename")"s + rest + "}", "rename needs name");
  for (auto const* name : {"", " bob", "[bob]", "user7", "chorus", "a\\u0000b", "a\\nb", "\\u202ebob", "\\u200d"})
    refuses(R"({"type":"rename",)" + quoted("name", name) + "}", name_rules);
  refuses(R"({"type":"rename",)" + quoted("name", std::string(33, 'x')) + "}", name_rules);
}

BOOST_AUTO_TEST_CASE(replay_has_a_range) {
  auto const usual = decoded_as<replay>(R"({"type":"replay","from":3,"to":9})");
  BOOST_TEST(usual.from == 3U);
  BOOST_TEST(usual.to == 9U);
  auto const largest = decoded_as<replay>(R"({"type":"replay","to":9007199254740992,"from":1})");
  BOOST_TEST(largest.from == 1U);
  BOOST_TEST(largest.to == max_integer);
  BOOST_TEST(decoded_as<replay>(R"({"type":"replay","from":9007199254740992,"to":9007199254740992})").from ==
             max_integer);
  BOOST_TEST(decoded_as<replay>(R"({"type":"replay","from":4,"to":4})").from == 4U);
}

BOOST_AUTO_TEST_CASE(replay_of_what_is_no_range_is_refused) {
  for (auto const* bad :
       {"0", "-0", "-1", "1.0", "1e0", "1.5", "0.1e1", "9007199254740993", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "18446744073709551616", "1e999", "\"1\"", "null", "true", "[1]", "{}"}) {
    refuses(R"({"type":"replay","from":1,"to":)"s + bad + "}", "replay needs from and to");
    refuses(R"({"type":"replay","to":9007199254740992,"from":)"s + bad + "}", "replay needs from and to");
  }
  for (auto const* range : {R"("from":1)", R"("to":1)", R"("from":2,"to":1)", R"("From":1,"To":1)"})
    refuses(R"({"type":"replay",)"s + range + "}", "replay needs from and to");
}

BOOST_AUTO_TEST_CASE(id_is_1_to_64_printable_characters) {
  auto const saying = [](std::string_view id) { return R"({"type":"say","text":"",)" + quoted("id", id) + "}"; };
  for (auto const& id : {"x"s, std::string(64, 'x'), " "s, "~"s, "\\u0041"s, "\\\"\\\\"s, "[chorus]: "s})
    decoded_as<say>(saying(id));
  BOOST_TEST(decoded_as<say>(saying(" ~\\u0041")).id == " ~A");
  for (auto const& id : {""s, std::string(65, 'x'), "\\u001f"s, "\\u007f"s, "\\u0000"s, "a\\nb"s, "\u00e9"s,
                         "\\ud83d\\udc4b"s, "\\u0080"s})
    refuses(saying(id), "id is ");
  for (auto const* id : {"null", "1", "true", "[\"x\"]", "{}"})
    refuses(R"({"type":"say","text":"","id":)"s + id + "}", "id is ");
}

BOOST_AUTO_TEST_CASE(refusals_carry_the_id_where_it_is_a_valid_one) {
  for (auto const* payload :
       {R"({"id":"x1","type":"say"})", R"({"id":"x1","type":"rename"})", R"({"id":"x1","type":"rename","name":""})",
        R"({"id":"x1","type":"replay"})", R"({"id":"x1","type":"shout"})", R"({"id":"x1"})"})
    BOOST_TEST(refused(payload).id == "x1");
  for (auto const* payload :
       {R"({"type":"say"})", R"({"id":"","type":"say"})", R"({"id":7})", R"(["id"])", R"({"id":"x1",)"})
    BOOST_TEST(refused(payload).id == "");
}

BOOST_AUTO_TEST_CASE(unknown_types_are_refused) {
  for (auto const* payload :
       {"{}", R"({"text":"hi"})", R"({"type":""})", R"({"type":"Say","text":""})", R"({"type":"say ","text":""})",
        R"({"type":"message","text":""})", R"({"type":null})", R"({"type":1})", R"({"type":["say"],"text":""})",
        R"({"type":"say\u0000","text":""})", R"({"Type":"say","text":""})"})
    refuses(payload, "type is one of ");
}

/// What counts no more need not be right either.
BOOST_AUTO_TEST_CASE(of_a_repeated_field_the_last_counts) {
  auto const last = decoded_as<say>(R"({"type":"users","text":1,"id":"","type":"say","text":"a","text":"b","id":"x"})");
  BOOST_TEST(last.text == "b");
  BOOST_TEST(last.id == "x");
  BOOST_TEST(decoded_as<replay>(R"({"type":"replay","from":"1","to":9,"from":2,"t\u006f":3})").to == 3U);
  BOOST_TEST(decoded_as<rename>(R"({"type":"rename","name":"","name":"bob"})").name == "bob");
  refuses(R"({"type":"say","text":"hi","text":null})", "say needs text");
  refuses(R"({"type":"say","text":"hi","type":"shout"})", "type is one of ");
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_ignored) {
  BOOST_TEST(
      decoded_as<say>(R"({"type":"say","text":"hi","to":[1,2.5,{"a":null}],"":{},"seq":-1e9,"name":"["})").text ==
      "hi");
}

BOOST_AUTO_TEST_CASE(nesting_is_bounded) {
  constexpr std::string_view too_deep = "This is not JSON: ";
  for (auto const& [open, close] : {std::pair('{', '}'), {'[', ']'}}) {
    // The command itself is one of the eight.
    decoded_as<say>(R"({"type":"say","text":"","a":)" + nested(7, open, close) + "}");
    refuses(R"({"type":"say","text":"","a":)" + nested(8, open, close) + "}", too_deep);
    refuses(nested(100'000, open, close), too_deep);
  }
  refuses(std::string(100'000, '['), too_deep);
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused) {
  for (auto const* payload : {"",
                              " ",
                              "hi",
                              "{",
                              "}",
                              R"({"type":"say","text":"hi")",
                              R"({"type":"say","text":"hi"}})",
                              R"({"type":"say","text":"hi"} x)",
                              R"({"type":"say","text":"hi"}{})",
                              R"({'type':'say','text':'hi'})",
                              R"({type:"say"})",
                              R"({"type":"say","text":"hi",})",
                              R"({"type":"say","text":"a)",
                              R"({"type":"say","n":01})",
                              R"({"type":"say","n":NaN})",
                              R"({"type":"say","n":+1})",
                              R"({"type":"say"}//)",
                              "\ufeff{}",
                              "{\"type\":\"say\",\"text\":\"a\nb\"}",
                              R"({"type":"say","text":"\x41"})",
                              R"({"type":"say","text":"\u12"})"})
    refuses(payload, "This is not JSON: ");
  refuses("{\"type\":\"say\",\"text\":\"hi\"}\0"s, "This is not JSON: ");
}

BOOST_AUTO_TEST_CASE(what_is_not_text_is_not_json) {
  for (auto const* text : {R"(\ud800)", R"(\udc00)", R"(\ud83d x)", R"(\ud83d\ud83d)", R"(\ud83d\u0041)", "\xff",
                           "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82"})
    refuses(R"({"type":"say",)" + quoted("text", text) + "}", "This is not JSON: ");
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_refused) {
  for (auto const* payload : {"[]", R"(["say"])", "1", "null", "true", R"("say")", R"([{"type":"say","text":""}])"})
    refuses(payload, "A command is a JSON object.");
}

BOOST_AUTO_TEST_CASE(binary_is_not_taken) {
  for (auto const* payload : {R"({"type":"say","text":"hi"})", "", "\xff"})
    BOOST_TEST(std::holds_alternative<unacceptable>(json.decode(opcode::binary, payload)));
}

namespace {

std::string mutated(std::string command, std::mt19937& random) {
  constexpr std::string_view splinters[] = {
      "\"", "{", "}", "[", "]", ",", ":", "\\u", "\\", "\\ud800", "null", "1e9", "-1", "\xff", "9007199254740993",
      "0",  "\0"};
  for (auto edits = 1 + random() % 4; edits != 0 && !command.empty(); --edits) {
    auto const at = random() % command.size();
    switch (random() % 4) {
      case 0: command[at] = static_cast<char>(random()); break;
      case 1: command.erase(at, 1 + random() % 8); break;
      case 2: command.insert(at, splinters[random() % std::size(splinters)]); break;
      default: command.insert(at, command.substr(random() % command.size(), random() % 32)); break;
    }
  }
  return command;
}

/// What is understood is within its bounds.
void check(command const& what) {
  if (auto const* const s = std::get_if<say>(&what)) {
    BOOST_TEST_REQUIRE(s->id.size() <= 64U);
  } else if (auto const* const r = std::get_if<rename>(&what)) {
    BOOST_TEST_REQUIRE(normalize_name(r->name).value_or("") == r->name);
  } else if (auto const* const past = std::get_if<replay>(&what)) {
    BOOST_TEST_REQUIRE((past->from >= 1 && past->from <= past->to && past->to <= max_integer));
  } else if (auto const* const wrong = std::get_if<bad_request>(&what)) {
    BOOST_TEST_REQUIRE(wrong->detail.ends_with('.'));
    BOOST_TEST_REQUIRE(wrong->id.size() <= 64U);
  } else {
    BOOST_TEST_REQUIRE(std::holds_alternative<ask_users>(what));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_bytes_are_refused) {
  std::mt19937 random(1);
  for (int i = 0; i != 50'000; ++i) {
    std::string bytes(random() % 64, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    auto const result = decoded(bytes);
    BOOST_TEST_REQUIRE(std::holds_alternative<bad_request>(result));
    check(result);
  }
}

BOOST_AUTO_TEST_CASE(damaged_commands_are_understood_or_refused) {
  constexpr std::string_view commands[] = {R"({"type":"say","text":"hi \u00e9\ud83d\udc4b","id":"x1"})",
                                           R"({"type":"users"})", R"({"type":"rename","name":"A\u0301lice","id":"y"})",
                                           R"({"type":"replay","from":1,"to":9007199254740992})",
                                           R"({"type":"say","text":"","a":[[[[[[[]]]]]]]})"};
  std::mt19937 random(2);
  std::size_t understood = 0;
  for (int i = 0; i != 100'000; ++i) {
    auto const result = decoded(mutated(std::string(commands[random() % std::size(commands)]), random));
    check(result);
    if (!std::holds_alternative<bad_request>(result)) ++understood;
  }
  BOOST_TEST(understood > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
