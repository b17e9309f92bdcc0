#include "protocol/text_dialect.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace chorus {

using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(greeting_has_no_plural_rule) {
  BOOST_TEST(text_dialect().greeting(1) == "\x81\x2a"s + "You are connected! There are 1 users here.");
  BOOST_TEST(text_dialect().greeting(12) == "\x81\x2b"s + "You are connected! There are 12 users here.");
}

BOOST_AUTO_TEST_CASE(messages_are_labelled_frames_in_order) {
  std::vector<event> const events{{1, "user0", "hi"}, {2, "user1", ""}};
  BOOST_TEST(text_dialect().encode(events) == "\x81\x0b[user0]: hi\x81\x09[user1]: "s);
}

BOOST_AUTO_TEST_CASE(label_counts_for_the_length) {
  std::vector<event> const events{{1, "user0", std::string(65536 - 9, 'x')}};
  auto const frame = text_dialect().encode(events);
  BOOST_TEST(frame.substr(0, 10) == "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  BOOST_TEST(frame.size() == 10U + 65536);
}

BOOST_AUTO_TEST_CASE(gap_counts_both_ends) {
  BOOST_TEST(text_dialect().gap(3, 3) == "\x81\x1c"s + "[chorus]: 1 messages skipped");
  BOOST_TEST(text_dialect().gap(3, 14) == "\x81\x1d"s + "[chorus]: 12 messages skipped");
}

BOOST_AUTO_TEST_CASE(text_is_said_and_binary_is_not) {
  BOOST_TEST(text_dialect().decode(opcode::text, "hi").value() == "hi");
  BOOST_TEST(text_dialect().decode(opcode::text, "").value() == "");
  BOOST_TEST(!text_dialect().decode(opcode::binary, "hi").has_value());
}

BOOST_AUTO_TEST_CASE(echo_answers) {
  BOOST_TEST(encode_echo_greeting() == "\x81\x12You are connected!"s);
  BOOST_TEST(encode_echo("hi") == "\x81\x0cYou said: hi"s);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
