#include "protocol/frame.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

namespace chorus {

using namespace std::string_literals;

namespace {

std::string encoded(std::size_t payload_size) {
  std::string frame;
  append_frame(frame, opcode::text, std::string(payload_size, 'x'));
  BOOST_TEST(frame.size() == frame_header_size(payload_size) + payload_size);
  return frame.substr(0, frame.size() - payload_size);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(frame)

BOOST_AUTO_TEST_CASE(length_takes_one_byte_up_to_125) {
  BOOST_TEST(encoded(0) == "\x81\x00"s);
  BOOST_TEST(encoded(1) == "\x81\x01"s);
  BOOST_TEST(encoded(125) == "\x81\x7d"s);
}

BOOST_AUTO_TEST_CASE(length_takes_two_more_bytes_up_to_65535) {
  BOOST_TEST(encoded(126) == "\x81\x7e\x00\x7e"s);
  BOOST_TEST(encoded(256) == "\x81\x7e\x01\x00"s);
  BOOST_TEST(encoded(65535) == "\x81\x7e\xff\xff"s);
}

BOOST_AUTO_TEST_CASE(length_takes_eight_more_bytes_from_65536) {
  BOOST_TEST(encoded(65536) == "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  BOOST_TEST(encoded(0x123456) == "\x81\x7f\x00\x00\x00\x00\x00\x12\x34\x56"s);
}

BOOST_AUTO_TEST_CASE(frames_are_appended) {
  std::string frames = "before";
  append_frame(frames, opcode::ping, "");
  append_frame(frames, opcode::binary, "ab");
  BOOST_TEST(frames == "before\x89\x00\x82\x02"s + "ab");
}

BOOST_AUTO_TEST_CASE(close_carries_code_and_reason) {
  BOOST_TEST(encode_close(close_code::internal_error, "Ping timeout") == "\x88\x0e\x03\xf3Ping timeout");
  BOOST_TEST(encode_close(close_code::going_away, "") == "\x88\x02\x03\xe9");
  BOOST_TEST(encode_close(close_code::going_away, std::string(123, 'x')).size() == 127U);
}

BOOST_AUTO_TEST_CASE(close_frames_are_recognised) {
  BOOST_TEST(is_close_frame(encode_close(close_code::going_away, "")));
  BOOST_TEST(!is_close_frame("\x8a\x00"s));
  BOOST_TEST(!is_close_frame("HTTP/1.1 101"));
  BOOST_TEST(!is_close_frame(""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
