#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "server/address.hpp"
#include "server/capacity.hpp"
#include "server/forwarded.hpp"
#include "server/proxy_header.hpp"

namespace chorus {

namespace {

net::ip::address ip(std::string const& text) { return net::ip::make_address(text); }

std::vector<address_range> const trusted{parse_address_range("10.0.0.0/8"), parse_address_range("::1")};

/// Whom a request from a trusted proxy is from.
std::string client(std::vector<std::pair<std::string, std::string>> const& headers,
                   std::string const& peer = "10.0.0.1") {
  boost::beast::http::fields all;
  for (auto const& [name, value] : headers) all.insert(name, value);
  return to_string(client_of({ip(peer), 0}, all, trusted));
}

std::string x_forwarded_for(std::string const& value) { return client({{"X-Forwarded-For", value}}); }
std::string forwarded(std::string const& value) { return client({{"Forwarded", value}}); }

std::string const signature("\r\n\r\n\0\r\nQUIT\n", 12);
std::string const ipv4("\xC0\0\x02\x07\x7F\0\0\x01\x11\xD7\0\x50", 12);

std::string header(char command, char family, std::string const& rest) {
  auto all = signature + command + family;
  all += static_cast<char>(rest.size() >> 8);
  all += static_cast<char>(rest.size());
  return all + rest;
}

std::string parsed(std::string const& bytes) {
  auto const result = parse_proxy_header(bytes);
  if (auto const* const incomplete = std::get_if<proxy_header_incomplete>(&result))
    return "needs " + std::to_string(incomplete->needed);
  if (auto const* const wrong = std::get_if<std::string_view>(&result)) return std::string(*wrong);
  auto const& whole = std::get<proxy_header>(result);
  return std::to_string(whole.size) + " " + (whole.client ? to_string(*whole.client) : "none");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(proxy)

BOOST_AUTO_TEST_CASE(a_range_has_what_begins_like_it) {
  auto const ten = parse_address_range("10.0.0.0/8");
  BOOST_TEST(ten.contains(ip("10.255.0.1")));
  BOOST_TEST(ten.contains(ip("::ffff:10.1.2.3")));
  BOOST_TEST(!ten.contains(ip("11.0.0.0")));
  BOOST_TEST(!ten.contains(ip("a00::")));
  BOOST_TEST(parse_address_range("fd00::/8").contains(ip("fdff::1")));
  BOOST_TEST(!parse_address_range("fd00::/8").contains(ip("fe00::")));
  BOOST_TEST(parse_address_range("127.0.0.1").contains(ip("127.0.0.1")));
  BOOST_TEST(!parse_address_range("127.0.0.1").contains(ip("127.0.0.2")));
  BOOST_TEST(parse_address_range("0.0.0.0/0").contains(ip("192.0.2.1")));
  BOOST_TEST(!parse_address_range("0.0.0.0/0").contains(ip("2001:db8::1")));
}

BOOST_AUTO_TEST_CASE(a_range_that_is_none) {
  for (auto const* const wrong : {"", "/", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8x", "a/8"})
    BOOST_CHECK_THROW(parse_address_range(wrong), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_first_from_the_right_that_is_not_trusted) {
  BOOST_TEST(x_forwarded_for("192.0.2.1") == "192.0.2.1");
  BOOST_TEST(x_forwarded_for("192.0.2.1, 192.0.2.2") == "192.0.2.2");
  BOOST_TEST(x_forwarded_for("192.0.2.1,192.0.2.2 ,\t10.9.9.9, ::1") == "192.0.2.2");
  BOOST_TEST(x_forwarded_for("10.0.0.2, 10.0.0.3") == "10.0.0.2");
  BOOST_TEST(client({{"X-Forwarded-For", "192.0.2.1"}, {"x-forwarded-for", "10.0.0.2"}}) == "192.0.2.1");
  BOOST_TEST(client({{"X-Forwarded-For", "192.0.2.1"}}, "192.0.2.9") == "192.0.2.9");
  BOOST_TEST(client({}) == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(how_addresses_are_written) {
  BOOST_TEST(x_forwarded_for("192.0.2.1:80") == "192.0.2.1:80");
  BOOST_TEST(x_forwarded_for("2001:db8::1") == "2001:db8::1");
  BOOST_TEST(x_forwarded_for("[2001:db8::1]:80") == "[2001:db8::1]:80");
  BOOST_TEST(x_forwarded_for("::ffff:192.0.2.1") == "192.0.2.1");
  BOOST_TEST(forwarded("for=192.0.2.1;proto=https;by=10.0.0.1") == "192.0.2.1");
  BOOST_TEST(forwarded("proto=https; For=\"[2001:db8::1]:4711\"") == "[2001:db8::1]:4711");
  BOOST_TEST(forwarded("for=\"192.0.2.1:_hidden\"") == "192.0.2.1");
  BOOST_TEST(forwarded("for=192.0.2.1, host=\"a, for=192.0.2.5\";for=192.0.2.2") == "192.0.2.2");
  BOOST_TEST(forwarded("host=\"a\\\", for=192.0.2.5\";for=192.0.2.2") == "192.0.2.2");
}

BOOST_AUTO_TEST_CASE(the_last_that_is_known) {
  for (auto const* const unknown :
       {"unknown", "_hidden", "", "192.0.2", "192.0.2.1x", "[::1", "[2001:db8::2]x", "fe80::1%1"}) {
    BOOST_TEST(x_forwarded_for(std::string("192.0.2.1, ") + unknown) == "10.0.0.1");
    BOOST_TEST(x_forwarded_for(std::string(unknown) + ", 10.0.0.2") == "10.0.0.2");
  }
  BOOST_TEST(forwarded("for=192.0.2.1, proto=https") == "10.0.0.1");
  BOOST_TEST(forwarded("for=\"192.0.2.1") == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_header_that_the_client_made_up) {
  BOOST_TEST(client({{"Forwarded", "for=192.0.2.9"}, {"X-Forwarded-For", "192.0.2.1"}}) == "192.0.2.1");
  BOOST_TEST(x_forwarded_for("\"192.0.2.9, 192.0.2.1") == "192.0.2.1");
}

BOOST_AUTO_TEST_CASE(a_whole_header) {
  BOOST_TEST(parsed(header(0x21, 0x11, ipv4)) == "28 192.0.2.7:4567");
  BOOST_TEST(parsed(header(0x21, 0x11, ipv4) + "GET /") == "28 192.0.2.7:4567");
  BOOST_TEST(parsed(header(0x21, 0x11, ipv4 + std::string("\x04\0\x01x", 4))) == "32 192.0.2.7:4567");
  auto const ipv6 = "\x20\x01\x0d\xb8" + std::string(27, '\0') + "\x01\x11\xD7" + std::string("\0\x50", 2);
  BOOST_TEST(parsed(header(0x21, 0x21, ipv6)) == "52 [2001:db8::]:4567");
  BOOST_TEST(parsed(header(0x20, 0x11, ipv4)) == "28 none");
  BOOST_TEST(parsed(header(0x20, 0x00, "")) == "16 none");
  BOOST_TEST(parsed(header(0x21, 0x00, "")) == "16 none");
  BOOST_TEST(parsed(header(0x21, 0x31, std::string(216, 'x'))) == "232 none");
}

BOOST_AUTO_TEST_CASE(part_of_a_header) {
  auto const whole = header(0x21, 0x11, ipv4);
  for (std::size_t size = 0; size != whole.size(); ++size)
    BOOST_TEST(parsed(whole.substr(0, size)) == (size < 16 ? "needs 16" : "needs 28"));
}

BOOST_AUTO_TEST_CASE(a_wrong_header) {
  BOOST_TEST(parsed("PROXY TCP4 192.0.2.7") == "it is of version 1, expected version 2 of the PROXY protocol");
  BOOST_TEST(parsed("\r\nGET /") == "expected the signature of the PROXY protocol");
  BOOST_TEST(parsed(header(0x11, 0x11, ipv4)) == "expected version 2 of the PROXY protocol");
  BOOST_TEST(parsed(header(0x22, 0x11, ipv4)) == "expected the command LOCAL or PROXY");
  BOOST_TEST(parsed(header(0x21, 0x41, ipv4)) == "there is no such address family or transport");
  BOOST_TEST(parsed(header(0x21, 0x13, ipv4)) == "there is no such address family or transport");
  BOOST_TEST(parsed(header(0x21, 0x11, ipv4.substr(1))) == "it is too short for its addresses");
  BOOST_TEST(parsed(header(0x21, 0x21, ipv4)) == "it is too short for its addresses");
  BOOST_TEST(parsed(header(0x21, 0x11, std::string(4080, 'x'))).starts_with("4096 "));
  BOOST_TEST(parsed(header(0x21, 0x11, std::string(4081, 'x'))) == "it is longer than 4096 bytes");
}

BOOST_AUTO_TEST_CASE(a_seat_moves_to_the_client) {
  settings options;
  options.max_connections_per_address = 1;
  options.trusted_proxies = trusted;
  capacity seats(options);
  auto const from = ip("192.0.2.1");
  {
    capacity::seat seat(seats, ip("10.0.0.1"));
    seat.move_to(from);
    seat.become_session();
    BOOST_TEST(!seats.admits(from));
    BOOST_TEST(seats.admits(ip("192.0.2.2")));
    capacity::seat of_proxy(seats, ip("10.0.0.1"));
    of_proxy.become_session();
    BOOST_TEST(seats.admits(ip("10.0.0.1")));
    BOOST_TEST(seats.sessions() == 2);
  }
  BOOST_TEST(seats.admits(from));
  BOOST_TEST(seats.sessions() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
