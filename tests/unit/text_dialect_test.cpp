#include "protocol/text_dialect.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace chorus {

using namespace std::string_literals;

namespace {

event message(std::string from, std::string text) {
  return {.what = event::kind::message, .announced = true, .name = std::move(from), .text = std::move(text)};
}

event change(event::kind what, std::string name, std::string to = {}) {
  return {.users = 2,
          .what = what,
          .announced = true,
          .turns_presence = true,
          .name = std::move(name),
          .text = std::move(to)};
}

std::string greeting(std::size_t users) { return text_dialect().greeting({"lobby", "bob", users, 1, 7, true}); }

std::string encoded(std::vector<event> const& events) { return text_dialect().encode(events); }

}  // namespace

BOOST_AUTO_TEST_SUITE(text_frames)

BOOST_AUTO_TEST_CASE(greeting_has_no_plural_rule) {
  BOOST_TEST(greeting(1) == "\x81\x2a"s + "You are connected! There are 1 users here.");
  BOOST_TEST(greeting(12) == "\x81\x2b"s + "You are connected! There are 12 users here.");
}

BOOST_AUTO_TEST_CASE(messages_are_labelled_frames_in_order) {
  BOOST_TEST(encoded({message("user0", "hi"), message("user1", "")}) == "\x81\x0b[user0]: hi\x81\x09[user1]: "s);
}

BOOST_AUTO_TEST_CASE(label_counts_for_the_length) {
  auto const frame = encoded({message("user0", std::string(65536 - 9, 'x'))});
  BOOST_TEST(frame.substr(0, 10) == "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  BOOST_TEST(frame.size() == 10U + 65536);
}

BOOST_AUTO_TEST_CASE(labels_are_measured_in_bytes) {
  BOOST_TEST(encoded({message("J\xc3\xbcrgen", "\xf0\x9f\x91\x8b")}) == "\x81\x0f[J\xc3\xbcrgen]: \xf0\x9f\x91\x8b"s);
}

/// Even where a program is told of them.
BOOST_AUTO_TEST_CASE(only_messages_are_told) {
  using kind = event::kind;
  std::vector const silent{change(kind::joined, "bob"), change(kind::renamed, "bob", "al"), change(kind::left, "al"),
                           change(kind::nothing, "")};
  BOOST_TEST(encoded(silent) == "");
  BOOST_TEST(encoded({silent[0], message("bob", "hi"), silent[1], silent[3]}) == "\x81\x09[bob]: hi"s);
  BOOST_TEST(encoded({}) == "");
}

BOOST_AUTO_TEST_CASE(gap_counts_messages) {
  BOOST_TEST(text_dialect().gap({3, 3, 1}) == "\x81\x1c"s + "[chorus]: 1 messages skipped");
  BOOST_TEST(text_dialect().gap({3, 99, 12}) == "\x81\x1d"s + "[chorus]: 12 messages skipped");
}

BOOST_AUTO_TEST_CASE(gap_without_messages_is_not_told) { BOOST_TEST(text_dialect().gap({3, 9, 0}) == ""); }

BOOST_AUTO_TEST_CASE(error_is_a_line_without_code_and_id) {
  for (auto const why : {refusal::unavailable, refusal::bad_request})
    BOOST_TEST(text_dialect().error(why, "Try again.", "x1") == "\x81\x14[chorus]: Try again."s);
}

BOOST_AUTO_TEST_CASE(other_answers_are_not_told) {
  std::vector<std::string> const names{"bob"};
  BOOST_TEST(text_dialect().users(1, &names) == "");
  BOOST_TEST(text_dialect().replayed(1, 2) == "");
}

BOOST_AUTO_TEST_CASE(text_is_said_and_binary_is_not) {
  for (auto const* text : {"hi", "", R"({"type":"say","text":"hi"})", "[user1]: hi\n"}) {
    auto const said = text_dialect().decode(opcode::text, text);
    BOOST_TEST(std::get<say>(said).text == text);
    BOOST_TEST(std::get<say>(said).id == "");
  }
  BOOST_TEST(std::holds_alternative<ignored>(text_dialect().decode(opcode::binary, "hi")));
}

BOOST_AUTO_TEST_CASE(echo_answers) {
  BOOST_TEST(encode_echo_greeting() == "\x81\x12You are connected!"s);
  BOOST_TEST(encode_echo("hi") == "\x81\x0cYou said: hi"s);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
