#include "server/logging.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace chorus::test {

namespace {

using namespace std::chrono_literals;
namespace level = spdlog::level;

/// What a logger with so few lines of each event per second writes, that is told to do so.
template <class Action>
std::string logged(log_format format, std::size_t per_second, Action act) {
  std::ostringstream out;
  {
    logger log(std::make_shared<spdlog::sinks::ostream_sink_st>(out), format, level::info, per_second);
    act(log);
  }
  return out.str();
}

std::string logged(log_format format, fields about) {
  return logged(format, 0, [&](logger& log) { log.info("happened", about); });
}

/// After time and level.
std::string text_of(fields about) { return logged(log_format::text, about).substr(24 + 1 + 7 + 1); }

boost::json::object json_of(fields about) {
  auto const line = logged(log_format::json, about);
  BOOST_TEST(line.find('\n') == line.size() - 1);
  for (auto const c : line.substr(0, line.size() - 1)) BOOST_TEST(static_cast<unsigned char>(c) >= ' ');
  return boost::json::parse(line.substr(0, line.size() - 1)).as_object();
}

/// Of each event, how many lines.
std::string omissions(line_limit& limit, clock::time_point now) {
  std::string all;
  for (auto const& [event, count] : limit.advance(now)) all += fmt::format("{} {} ", event, count);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logs)

BOOST_AUTO_TEST_CASE(text_is_time_level_event_and_fields) {
  tcp::endpoint const address(net::ip::make_address("::1"), 80);
  auto const line = logged(log_format::text, {{"name", "al"}, {"users", std::size_t(3)}, {"address", address}});
  BOOST_TEST(line.substr(23) == "Z info    happened name=al users=3 address=[::1]:80\n");
  BOOST_TEST(text_of({{"duration", 1234567us}, {"less", -1}}) == "happened duration=1.235 less=-1\n");
  BOOST_TEST(text_of({}) == "happened\n");
}

BOOST_AUTO_TEST_CASE(text_has_quotes_where_it_needs_them) {
  BOOST_TEST(text_of({{"a", "x y"}, {"b", "x=y"}, {"c", "\"x"}, {"d", "x\\"}, {"e", "ü"}, {"f", "x"}}) ==
             "happened a=\"x y\" b=\"x=y\" c=\"\\\"x\" d=\"x\\\\\" e=\"ü\" f=x\n");
}

BOOST_AUTO_TEST_CASE(json_is_one_object_per_line_with_numbers_as_numbers) {
  auto const object = json_of({{"reason", "a \"quoted\"\nmessage"}, {"users", 3}, {"duration", 1500ms}});
  BOOST_TEST(object.size() == 6U);
  BOOST_TEST(object.at("level").as_string() == "info");
  BOOST_TEST(object.at("event").as_string() == "happened");
  BOOST_TEST(object.at("reason").as_string() == "a \"quoted\"\nmessage");
  BOOST_TEST(object.at("users").as_int64() == 3);
  BOOST_TEST(object.at("duration").as_double() == 1.5);
  BOOST_TEST(object.at("time").as_string().ends_with("Z"));
}

BOOST_AUTO_TEST_CASE(nothing_that_is_said_ends_a_line_or_a_field) {
  for (std::string const hostile :
       {"x\ny", "x\r\ny z=1", "x\x1b[2K", "x\x7f", "x\xc2\x85y", "x\u2028y", "\u202ex", "x\U000e0001y"}) {
    BOOST_TEST_CONTEXT(hostile) {
      auto const text = text_of({{"reason", hostile}, {"after", 1}});
      BOOST_TEST(text.starts_with("happened reason=\""));
      BOOST_TEST(text.ends_with("\" after=1\n"));
      // The two formats quote alike, so what is within is what was said.
      auto const quoted = text.substr(16, text.size() - 16 - 9);
      for (auto const c : quoted) BOOST_TEST((c >= ' ' && c <= '~'));
      BOOST_TEST(boost::json::parse(quoted).as_string() == hostile);
      BOOST_TEST(json_of({{"reason", hostile}}).at("reason").as_string() == hostile);
    }
  }
  BOOST_TEST(text_of({{"reason", "x\xff\xc3y"}}) == "happened reason=\"x\\ufffd\\ufffdy\"\n");
}

BOOST_AUTO_TEST_CASE(empty_texts_are_left_out_and_long_ones_cut) {
  BOOST_TEST(text_of({{"name", ""}, {"users", 0}}) == "happened users=0\n");
  BOOST_TEST(text_of({{"target", std::string(256, 'x')}}) == "happened target=" + std::string(256, 'x') + "\n");
  BOOST_TEST(text_of({{"target", std::string(257, 'x')}}) == "happened target=\"" + std::string(256, 'x') + "...\"\n");
  // What a peer can make longest stays below what a pipe takes at once.
  std::string const longest(10'000, '\n');
  BOOST_TEST(logged(log_format::json, {{"method", longest}, {"target", longest}}).size() < 4096 - 256);
}

BOOST_AUTO_TEST_CASE(a_flood_is_cut_and_counted) {
  auto const lines = logged(log_format::text, 2, [](logger& log) {
    for (auto i = 0; i != 5; ++i) {
      log.debug("off");
      log.info("flood", {{"number", i}});
      log.error("failed");
    }
    log.info("other");
  });
  auto const count = [&](std::string_view words) {
    auto found = 0;
    for (auto at = lines.find(words); at != std::string::npos; at = lines.find(words, at + 1)) ++found;
    return found;
  };
  BOOST_TEST(count(" off") == 0);
  BOOST_TEST(count(" flood number=") + count(" suppressed of=flood count=") >= 3);
  BOOST_TEST(count(" failed") == 5);
  BOOST_TEST(count(" other") == 1);
  BOOST_TEST(lines.find("warning suppressed of=flood count=") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_sink_that_fails_is_no_failure_of_who_logs) {
  struct failing final : spdlog::sinks::base_sink<std::mutex> {
    void sink_it_(spdlog::details::log_msg const&) override { throw std::bad_alloc(); }
    void flush_() override {}
  };
  logger log(std::make_shared<failing>(), log_format::text, level::info, 1);
  BOOST_CHECK_NO_THROW(log.info("happened"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(line_limits)

BOOST_AUTO_TEST_CASE(are_per_event_and_second) {
  auto const begin = clock::time_point() + 1h;
  line_limit limit(2);
  BOOST_TEST(omissions(limit, begin) == "");
  BOOST_TEST(limit.admits("a"));
  BOOST_TEST(limit.admits("a"));
  BOOST_TEST(!limit.admits("a"));
  BOOST_TEST(limit.admits("b"));
  BOOST_TEST(omissions(limit, begin + 999ms) == "");
  BOOST_TEST(!limit.admits("a"));
  BOOST_TEST(omissions(limit, begin + 1s) == "a 2 ");
  BOOST_TEST(limit.admits("a"));
  BOOST_TEST(omissions(limit, begin + 1999ms) == "");
  BOOST_TEST(omissions(limit, begin + 5s) == "");
}

BOOST_AUTO_TEST_CASE(of_0_admit_everything) {
  auto const begin = clock::time_point() + 1h;
  line_limit limit(0);
  limit.advance(begin);
  for (auto i = 0; i != 1000; ++i) BOOST_TEST(limit.admits("a"));
  BOOST_TEST(omissions(limit, begin + 1s) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
