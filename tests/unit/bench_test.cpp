#include <boost/test/unit_test.hpp>
#include <string>

#include "bench/bench_options.hpp"
#include "bench/blocking_socket.hpp"
#include "bench/check_failed.hpp"
#include "bench/client_frame.hpp"
#include "bench/event_order.hpp"
#include "bench/handshake.hpp"
#include "bench/json_event.hpp"
#include "bench/latencies.hpp"
#include "bench/ledger.hpp"
#include "bench/preparation.hpp"
#include "bench/process_meter.hpp"
#include "bench/report.hpp"
#include "bench/seating.hpp"
#include "bench/send_times.hpp"
#include "bench/stamp.hpp"
#include "bench/tcp_memory.hpp"
#include "bench/traffic.hpp"
#include "cli/exit_code.hpp"

namespace chorus::bench {

using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

auto says(std::string const& words) {
  return [words](std::exception const& e) {
    BOOST_TEST(e.what() == words);
    return std::string(e.what()).find(words) != std::string::npos;
  };
}

/// What a member that was welcomed at `seq` 4 as `me` hears, and what is wrong with it, or nothing.
std::string fault_in(std::vector<json_event> const& events) {
  event_order order;
  try {
    order.heard(welcome{4, "me"});
    for (auto const& event : events) order.heard(event);
  } catch (check_failed const& e) {
    return e.what();
  }
  return {};
}

/// Whether a message of that `seq` would do after these events.
bool may_follow(std::vector<json_event> events, std::uint64_t seq) {
  events.push_back(message{seq, std::nullopt});
  return fault_in(events).empty();
}

bench_options parse(std::vector<char const*> const& arguments) { return parse_bench_options(arguments); }

}  // namespace

BOOST_AUTO_TEST_SUITE(bench)

BOOST_AUTO_TEST_CASE(a_frame_is_parsed_where_it_lies) {
  auto const bytes = "\x81\x02hi\x8a"s;
  auto const frame = parse_frame(bytes);
  BOOST_REQUIRE(frame.has_value());
  BOOST_TEST((frame->op == opcode::text));
  BOOST_TEST(frame->final);
  BOOST_TEST(frame->payload == "hi");
  BOOST_TEST(frame->size == 4u);
}

BOOST_AUTO_TEST_CASE(an_incomplete_frame_is_none_at_any_length) {
  for (auto const size : {5u, 125u, 126u, 65535u, 65536u}) {
    std::string bytes;
    append_frame(bytes, opcode::text, std::string(size, 'x'));
    for (auto const cut : {std::size_t{0}, std::size_t{1}, frame_header_size(size) - 1, bytes.size() - 1})
      BOOST_TEST(!parse_frame(std::string_view(bytes).substr(0, cut)).has_value());
    BOOST_REQUIRE(parse_frame(bytes).has_value());
    BOOST_TEST(parse_frame(bytes)->payload.size() == size);
    BOOST_TEST(parse_frame(bytes)->size == bytes.size());
  }
}

BOOST_AUTO_TEST_CASE(a_masked_or_extended_frame_from_a_server_is_refused) {
  BOOST_CHECK_EXCEPTION(parse_frame("\x81\x80\0\0\0\0"s), check_failed, says("the server sent a masked frame"));
  BOOST_CHECK_EXCEPTION(parse_frame("\xc1\0"s), check_failed, says("the server sent a frame with reserved bits set"));
}

BOOST_AUTO_TEST_CASE(a_frame_of_ours_is_masked) {
  // The sample of RFC 6455 section 5.7, which has the key that is used here.
  std::string out;
  append_masked_frame(out, opcode::text, "Hello");
  BOOST_TEST(out == "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s);
}

BOOST_AUTO_TEST_CASE(a_close_frame_has_a_code_or_none) {
  BOOST_TEST(close_code_of(parse_frame("\x88\x04\x03\xf0no"s).value()) == 1008u);
  BOOST_TEST(close_code_of(parse_frame("\x88\x00"s).value()) == 1005u);
}

BOOST_AUTO_TEST_CASE(a_stamp_is_found_in_whatever_a_server_puts_around_it) {
  message_id const id{12, 345};
  auto const text = make_text(id, 64);
  BOOST_TEST(text.size() == 64u);
  BOOST_TEST((find_stamp(text) == id));
  BOOST_TEST((find_stamp("[user7]: " + text) == id));
  BOOST_TEST((find_stamp(R"({"text":")" + text + R"("})") == id));
  BOOST_TEST((find_stamp(make_text(id, least_text_size)) == id));
  BOOST_TEST((find_stamp(make_text(id, 100'000)) == id));
  message_id const last{most_senders - 1, most_messages};
  BOOST_TEST((find_stamp(make_text(last, least_text_size)) == last));
}

BOOST_AUTO_TEST_CASE(what_is_not_ours_has_no_stamp) {
  BOOST_TEST(!find_stamp("You are connected! There are 3 users here.").has_value());
  BOOST_TEST(!find_stamp("").has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_message_is_noticed) {
  auto const text = make_text({0, 1}, 64);
  auto wrong_byte = text;
  wrong_byte[50] ^= 1;
  BOOST_CHECK_THROW(find_stamp(wrong_byte), check_failed);
  BOOST_CHECK_THROW(find_stamp(text.substr(0, 63)), check_failed);
  BOOST_CHECK_THROW(find_stamp(text.substr(0, 10)), check_failed);
  auto no_number = text;
  no_number[12] = 'x';
  BOOST_CHECK_THROW(find_stamp(no_number), check_failed);
}

BOOST_AUTO_TEST_CASE(a_gap_notice_is_understood) {
  BOOST_TEST(find_gap("[chorus]: 12 messages skipped").value() == 12u);
  BOOST_TEST(!find_gap("[chorus]: many messages skipped").has_value());
  BOOST_TEST(!find_gap("[user0]: 12 messages skipped").has_value());
}

BOOST_AUTO_TEST_CASE(a_message_in_json_is_understood_however_it_is_written) {
  message_id const id{3, 7};
  auto const text = make_text(id, 64);
  std::string const usual = R"({"type":"message","seq":12,"from":"bob","text":")" + text + R"(","at":1764097282000})";
  std::string const with_id = R"({"type":"message","seq":12,"from":"bob","text":")" + text + R"(","at":1,"id":"x"})";
  std::string const escaped = R"({"type":"message","seq":12,"from":"b\"b","text":")" + text + R"(","at":1})";
  std::string const turned = R"({ "text": ")" + text + R"(", "seq": 12, "type": "message" })";
  for (auto const& written : {usual, with_id, escaped, turned}) {
    auto const event = parse_json_event(written);
    BOOST_REQUIRE(std::holds_alternative<message>(event));
    BOOST_TEST(std::get<message>(event).seq == 12u);
    BOOST_TEST((std::get<message>(event).id == id));
  }
  auto damaged = usual;
  damaged[usual.find(text) + 50] ^= 1;
  BOOST_CHECK_THROW(parse_json_event(damaged), check_failed);
  auto const other = parse_json_event(R"({"type":"message","seq":1,"from":"bob","text":"hi","at":1})");
  BOOST_TEST(!std::get<message>(other).id.has_value());
}

BOOST_AUTO_TEST_CASE(other_events_in_json_are_understood) {
  auto const greeting = std::get<welcome>(
      parse_json_event(R"({"type":"welcome","room":"r","name":"bob","users":3,"epoch":9,"seq":8,"recovered":false})"));
  BOOST_TEST(greeting.seq == 8u);
  BOOST_TEST(greeting.name == "bob");
  for (auto const* const type : {"joined", "left", "renamed"}) {
    auto const json = R"({"type":")" + std::string(type) + R"(","seq":9,"name":"al","users":3,"at":1})";
    auto const change = std::get<presence>(parse_json_event(json));
    BOOST_TEST(change.seq == 9u);
    BOOST_TEST(change.name == "al");
  }
  auto const missing = std::get<gap>(parse_json_event(R"({"type":"gap","from":3,"to":9})"));
  BOOST_TEST(missing.from == 3u);
  BOOST_TEST(missing.to == 9u);
  BOOST_TEST(std::holds_alternative<turn>(parse_json_event(R"({"type":"users","users":1001})")));
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_refused) {
  for (auto const* const text : {"", "hi", "[]", "{}", R"({"type":1})", R"({"type":"message","text":"x"})",
                                 R"({"type":"replayed","from":1,"to":2})", R"({"type":"gap","from":-1,"to":2})",
                                 R"({"type":"gap","from":1.0,"to":2})", R"({"type":"joined","seq":1})",
                                 R"({"type":"message","seq":1,"from":"bob","text":"hi","at":1}x)"})
    BOOST_CHECK_EXCEPTION(parse_json_event(text), check_failed, [](check_failed const& e) {
      return std::string(e.what()).starts_with("the server sent what is no event of chorus.v1: ");
    });
  BOOST_CHECK_EXCEPTION(parse_json_event(R"({"type":"error","code":"unavailable","detail":"try again"})"), check_failed,
                        says("the server sent the error unavailable: try again"));
}

BOOST_AUTO_TEST_CASE(what_is_said_in_json_is_json) { BOOST_TEST(say_command("hi") == R"({"type":"say","text":"hi"})"); }

BOOST_AUTO_TEST_CASE(a_subprotocol_is_offered_and_demanded) {
  target const json{parse_url("ws://h/chat"), {}, true};
  target const text{parse_url("ws://h/chat"), {}};
  BOOST_TEST(upgrade_request(json).find("\r\nSec-WebSocket-Protocol: chorus.v1\r\n") != std::string::npos);
  BOOST_TEST(upgrade_request(text).find("Sec-WebSocket-Protocol") == std::string::npos);
  upgrade_answer answer(boost::beast::http::status::switching_protocols, 11);
  answer.set("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  check_upgraded(answer, text);
  BOOST_CHECK_EXCEPTION(check_upgraded(answer, json), check_failed,
                        says("the server does not agree to the subprotocol chorus.v1"));
  answer.set("Sec-WebSocket-Protocol", "chorus.v1");
  check_upgraded(answer, json);
  BOOST_CHECK_EXCEPTION(check_upgraded(answer, text), check_failed,
                        says("the server chose the subprotocol 'chorus.v1', which was not offered"));
  answer.set("Sec-WebSocket-Protocol", "chorus.v2");
  BOOST_CHECK_THROW(check_upgraded(answer, json), check_failed);
}

BOOST_AUTO_TEST_CASE(events_follow_each_other) {
  BOOST_TEST(fault_in({presence{5, "me"}, message{6, {}}, presence{7, "al"}, message{8, {}}}) == "");
  BOOST_TEST(fault_in({presence{5, "me"}, message{7, {}}}) ==
             "got seq 7, out of order, or others were lost; due was seq 6");
  BOOST_TEST(fault_in({presence{5, "me"}, message{5, {}}}) ==
             "got seq 5, out of order or for a second time; due was seq 6");
  BOOST_TEST(fault_in({message{4, {}}}) == "got seq 4, out of order or for a second time; due was seq 5");
  BOOST_TEST(fault_in({presence{6, "me"}}) == "got seq 6, out of order, or others were lost; due was seq 5");
  BOOST_TEST(fault_in({welcome{5, "me"}}) == "was welcomed for a second time");
  event_order unwelcome;
  BOOST_CHECK_EXCEPTION(unwelcome.heard(message{1, {}}), check_failed, says("got seq 1 before it was welcomed"));
}

BOOST_AUTO_TEST_CASE(a_gap_is_named_to_the_seq) {
  BOOST_TEST(fault_in({presence{5, "me"}, gap{6, 9}, message{10, {}}}) == "");
  BOOST_TEST(fault_in({presence{5, "me"}, gap{7, 9}}) == "got seq 7, out of order, or others were lost; due was seq 6");
  BOOST_TEST(fault_in({gap{5, 9}, message{9, {}}}) == "got seq 9, out of order or for a second time; due was seq 10");
  BOOST_TEST(fault_in({gap{5, 4}}) == "was told of a gap from seq 5 to 4");
}

BOOST_AUTO_TEST_CASE(presence_that_is_not_announced_leaves_holes) {
  BOOST_TEST(!may_follow({presence{5, "me"}}, 7));
  BOOST_TEST(may_follow({presence{5, "me"}, turn{}}, 7));
  BOOST_TEST(!may_follow({presence{5, "me"}, turn{}, presence{9, "al"}}, 11));
  // In a room that is large already, a newcomer's own joining is not announced.
  BOOST_TEST(may_follow({message{6, {}}}, 8));
  BOOST_TEST(!may_follow({message{6, {}}, presence{9, "al"}}, 11));
}

BOOST_AUTO_TEST_CASE(receivers_that_agree_are_complete) {
  ledger all(0, 2);
  witness first(all);
  witness second(all);
  BOOST_TEST(!first.complete());
  for (auto const id : {message_id{0, 0}, message_id{1, 0}, message_id{0, 1}}) first.heard(id);
  BOOST_TEST(first.complete());
  BOOST_TEST(!second.complete());
  for (auto const id : {message_id{0, 0}, message_id{1, 0}, message_id{0, 1}}) second.heard(id);
  BOOST_TEST(second.complete());
}

BOOST_AUTO_TEST_CASE(a_lost_message_is_named) {
  ledger all(0, 1);
  witness first(all);
  for (std::uint32_t n = 0; n != 3; ++n) first.heard({0, n});
  witness second(all);
  second.heard({0, 0});
  BOOST_TEST(second.due() == "message 1 of sender 0");
  BOOST_CHECK_EXCEPTION(
      second.heard({0, 2}), check_failed,
      says("got message 2 of sender 0, out of order, or others were lost; due was message 1 of sender 0"));
}

BOOST_AUTO_TEST_CASE(a_message_that_everyone_lost_is_named) {
  ledger all(0, 1);
  witness first(all);
  first.heard({0, 0});
  BOOST_CHECK_EXCEPTION(
      first.heard({0, 2}), check_failed,
      says("got message 2 of sender 0, out of order, or others were lost; due was message 1 of sender 0"));
}

BOOST_AUTO_TEST_CASE(a_second_copy_is_noticed) {
  ledger all(0, 1);
  witness first(all);
  first.heard({0, 0});
  BOOST_CHECK_EXCEPTION(first.heard({0, 0}), check_failed,
                        says("got message 0 of sender 0, for a second time; due was message 1 of sender 0"));
}

BOOST_AUTO_TEST_CASE(different_orders_are_noticed) {
  ledger all(0, 2);
  witness first(all);
  witness second(all);
  for (auto const id : {message_id{0, 0}, message_id{0, 1}, message_id{1, 0}}) first.heard(id);
  second.heard({0, 0});
  BOOST_CHECK_THROW(second.heard({1, 0}), check_failed);
}

BOOST_AUTO_TEST_CASE(a_gap_is_no_loss) {
  ledger all(0, 1);
  witness first(all);
  for (std::uint32_t n = 0; n != 5; ++n) first.heard({0, n});
  witness second(all);
  second.heard({0, 0});
  second.skipped(2);
  second.heard({0, 3});
  second.skipped(1);
  BOOST_TEST(second.complete());
}

BOOST_AUTO_TEST_CASE(a_gap_of_the_wrong_size_is_noticed) {
  ledger all(0, 1);
  witness first(all);
  for (std::uint32_t n = 0; n != 5; ++n) first.heard({0, n});
  witness second(all);
  second.heard({0, 0});
  second.skipped(1);
  BOOST_CHECK_THROW(second.heard({0, 3}), check_failed);
}

BOOST_AUTO_TEST_CASE(one_may_be_ahead_of_all_others_after_a_gap) {
  ledger all(0, 1);
  witness first(all);
  witness second(all);
  first.heard({0, 0});
  second.heard({0, 0});
  second.skipped(2);
  second.heard({0, 3});
  BOOST_TEST(!second.complete());
  for (std::uint32_t n = 1; n != 4; ++n) first.heard({0, n});
  second.settle();
  BOOST_TEST(second.complete());
}

BOOST_AUTO_TEST_CASE(a_gap_up_to_a_seq_counts_the_messages_in_it) {
  ledger all(0, 1);
  witness first(all);
  // In between, somebody joined.
  for (std::uint32_t n = 0; n != 5; ++n) first.heard({0, n}, 2 * n + 1);
  witness second(all);
  second.heard({0, 0}, 1);
  second.skipped_through(5);
  BOOST_TEST(second.missed() == 2u);
  BOOST_TEST(second.due() == "message 3 of sender 0");
  second.heard({0, 3}, 7);
  second.skipped_through(9);
  BOOST_TEST(second.missed() == 3u);
  BOOST_TEST(second.complete());
}

BOOST_AUTO_TEST_CASE(a_gap_that_ends_at_the_wrong_seq_is_noticed) {
  ledger all(0, 1);
  witness first(all);
  for (std::uint32_t n = 0; n != 4; ++n) first.heard({0, n}, n + 1);
  for (auto const wrong_end : {2u, 4u}) {
    witness second(all);
    second.heard({0, 0}, 1);
    second.skipped_through(wrong_end);
    BOOST_CHECK_THROW(second.heard({0, 3}, 4), check_failed);
  }
}

BOOST_AUTO_TEST_CASE(one_may_be_ahead_of_all_others_after_a_gap_up_to_a_seq) {
  ledger all(0, 2);
  witness first(all);
  witness second(all);
  first.heard({0, 0}, 1);
  second.heard({0, 0}, 1);
  second.skipped_through(3);
  BOOST_TEST(second.is_ahead());
  // It would be the next of its sender, but others are going to hear two before it.
  second.heard({1, 0}, 4);
  second.skipped_through(5);
  BOOST_TEST(!second.complete());
  first.heard({0, 1}, 2);
  first.heard({0, 2}, 3);
  first.heard({1, 0}, 4);
  second.settle();
  BOOST_TEST(second.missed() == 2u);
  first.heard({1, 1}, 5);
  second.settle();
  BOOST_TEST(second.missed() == 3u);
  BOOST_TEST(!second.is_ahead());
  BOOST_TEST(second.complete());
}

BOOST_AUTO_TEST_CASE(all_agree_on_the_seq_of_a_message) {
  ledger all(0, 1);
  witness first(all);
  witness second(all);
  first.heard({0, 0}, 7);
  BOOST_CHECK_EXCEPTION(second.heard({0, 0}, 8), check_failed,
                        says("got message 0 of sender 0 with seq 8, others with seq 7"));
}

BOOST_AUTO_TEST_CASE(a_newcomer_begins_anywhere_and_then_follows) {
  ledger all(0, 1);
  witness first(all);
  witness newcomer(all);
  newcomer.heard({0, 2});
  newcomer.heard({0, 4});
  for (std::uint32_t n = 0; n != 5; ++n) first.heard({0, n});
  BOOST_CHECK_THROW(newcomer.settle(), check_failed);
}

BOOST_AUTO_TEST_CASE(what_was_said_in_another_room_is_noticed) {
  for (auto const sender : {1u, 4u}) {
    ledger second_room(2, 2);
    witness who(second_room);
    who.heard({2, 0});
    who.heard({3, 0});
    auto const words = "got message 0 of sender " + std::to_string(sender) + ", which was said in another room";
    BOOST_CHECK_EXCEPTION(who.heard({sender, 0}), check_failed, says(words));
    BOOST_TEST(who.complete());
  }
}

BOOST_AUTO_TEST_CASE(ledgers_of_several_threads_become_one) {
  ledger common(0, 2);
  ledger first(0, 2);
  ledger second(0, 2);
  witness one(first);
  witness other(second);
  for (auto const id : {message_id{0, 0}, message_id{1, 0}, message_id{0, 1}}) one.heard(id);
  other.heard({0, 0});
  for (int round = 0; round != 2; ++round)
    for (auto* const each : {&first, &second}) each->agree_with(common);
  BOOST_TEST(common.size() == 3u);
  BOOST_TEST(second.size() == 3u);
  BOOST_TEST(!other.complete());
  BOOST_TEST(other.due() == "message 0 of sender 1");
  for (auto const id : {message_id{1, 0}, message_id{0, 1}, message_id{1, 1}}) other.heard(id);
  for (auto* const each : {&second, &first}) each->agree_with(common);
  BOOST_TEST(other.complete());
  BOOST_TEST(one.due() == "message 1 of sender 1");
}

BOOST_AUTO_TEST_CASE(different_orders_on_different_threads_are_noticed) {
  ledger common(0, 2);
  ledger first(0, 2);
  ledger second(0, 2);
  witness one(first);
  witness other(second);
  for (auto const id : {message_id{0, 0}, message_id{0, 1}, message_id{1, 0}}) one.heard(id);
  for (auto const id : {message_id{0, 0}, message_id{1, 0}, message_id{0, 1}}) other.heard(id);
  first.agree_with(common);
  BOOST_CHECK_EXCEPTION(second.agree_with(common), check_failed,
                        says("some receivers got message 0 of sender 1 where others got message 1 of sender 0, out of "
                             "order, or others were lost"));
}

BOOST_AUTO_TEST_CASE(all_threads_agree_on_the_seq_of_a_message) {
  ledger common(0, 1);
  ledger first(0, 1);
  ledger second(0, 1);
  witness(first).heard({0, 0}, 7);
  witness(second).heard({0, 0}, 8);
  first.agree_with(common);
  BOOST_CHECK_EXCEPTION(second.agree_with(common), check_failed,
                        says("some receivers got message 0 of sender 0 with seq 8, others with seq 7"));
}

BOOST_AUTO_TEST_CASE(whoever_begins_late_on_one_thread_follows_those_on_another) {
  ledger common(0, 1);
  ledger first(0, 1);
  ledger second(0, 1);
  witness one(first);
  witness late(second);
  for (std::uint32_t n = 0; n != 3; ++n) one.heard({0, n});
  late.heard({0, 2});
  for (auto* const each : {&first, &second}) each->agree_with(common);
  BOOST_TEST(!late.complete());
  late.settle();
  BOOST_TEST(late.complete());
}

BOOST_AUTO_TEST_CASE(latencies_of_several_threads_are_added) {
  latencies all;
  latencies more;
  for (int i = 0; i != 99; ++i) all.record(100us);
  more.record(2s);
  all += more;
  BOOST_TEST(all.count() == 100u);
  BOOST_TEST(all.summary().p50 == 100, boost::test_tools::tolerance(0.011));
  BOOST_TEST(all.summary().p99_9 == 2e6);
  BOOST_TEST(all.summary().max == 2e6);
  more += latencies();
  BOOST_TEST(more.count() == 1u);
}

BOOST_AUTO_TEST_CASE(send_times_are_kept_however_many_there_are) {
  send_times sent(2);
  auto const begun = clock::now();
  for (std::uint32_t n = 0; n != 1000; ++n) sent.record({1, n}, begun + n * 1us);
  for (auto const n : {0u, 1u, 2u, 3u, 4u, 511u, 512u, 999u}) BOOST_TEST((sent.at({1, n}) == begun + n * 1us));
  for (auto const id :
       {message_id{1, 1000}, message_id{1, 5000}, message_id{0, 0}, message_id{2, 0}, message_id{1, ~0u}})
    BOOST_TEST((sent.at(id) == send_times::never));
}

BOOST_AUTO_TEST_CASE(percentiles_are_within_one_percent) {
  latencies times;
  BOOST_TEST(times.summary().p99 == 0);
  for (int us = 1; us <= 10'000; ++us) times.record(std::chrono::microseconds(us));
  auto const found = times.summary();
  BOOST_TEST(times.count() == 10'000u);
  BOOST_TEST(found.p50 == 5'000, boost::test_tools::tolerance(0.011));
  BOOST_TEST(found.p90 == 9'000, boost::test_tools::tolerance(0.011));
  BOOST_TEST(found.p99 == 9'900, boost::test_tools::tolerance(0.011));
  BOOST_TEST(found.p99_9 == 9'990, boost::test_tools::tolerance(0.011));
  BOOST_TEST(found.max == 10'000);
}

BOOST_AUTO_TEST_CASE(one_slow_delivery_among_many_shows_where_it_belongs) {
  latencies times;
  for (int i = 0; i != 999; ++i) times.record(100us);
  times.record(2s);
  BOOST_TEST(times.summary().p99_9 < 102);
  BOOST_TEST(times.summary().max == 2e6);
}

BOOST_AUTO_TEST_CASE(durations_that_no_histogram_has_count_as_the_nearest) {
  latencies times;
  times.record(-1ns);
  BOOST_TEST(times.summary().max == 0);
  times.record(2000s);
  BOOST_TEST(times.count() == 2u);
  BOOST_TEST(times.summary().p99 == 1e9, boost::test_tools::tolerance(0.011));
  BOOST_TEST(times.summary().max == 2e9);
}

BOOST_AUTO_TEST_CASE(latency_counts_from_when_a_message_was_due) {
  send_times sent(1);
  traffic talk({1, 1}, sent);
  receiver who(talk.room(0));
  auto const due = clock::now();
  talk.begin(1);
  auto const text = talk.say(0, 64, due);
  BOOST_TEST(!talk.complete());
  BOOST_TEST(talk.heard(who, "[user0]: " + text, due + 5ms).has_value());
  BOOST_TEST(talk.complete());
  BOOST_TEST(talk.delivered() == 1u);
  BOOST_TEST(talk.times().summary().max == 5'000);
}

BOOST_AUTO_TEST_CASE(what_was_missed_with_a_notice_need_not_come) {
  send_times sent(1);
  traffic talk({1, 1}, sent);
  receiver who(talk.room(0));
  talk.begin(3);
  auto const now = clock::now();
  auto const first = talk.say(0, 64, now);
  talk.heard(who, first, now);
  talk.heard(who, "[chorus]: 2 messages skipped", now);
  BOOST_TEST(talk.complete());
  BOOST_TEST(talk.missed() == 2u);
  BOOST_TEST(who.progress.missed() == 2u);
}

BOOST_AUTO_TEST_CASE(who_is_not_counted_is_not_waited_for) {
  send_times sent(1);
  traffic talk({1, 1}, sent);
  receiver who(talk.room(0));
  who.counted = false;
  talk.begin(1);
  auto const text = talk.say(0, 64, clock::now());
  talk.heard(who, text, clock::now());
  BOOST_TEST(!talk.complete());
  BOOST_TEST(talk.times().count() == 0u);
}

BOOST_AUTO_TEST_CASE(what_nobody_heard_is_named) {
  send_times sent(2);
  traffic talk({1, 2}, sent);
  receiver who(talk.room(0));
  auto const now = clock::now();
  for (int i = 0; i != 2; ++i) talk.heard(who, talk.say(0, 64, now), now);
  BOOST_TEST(!talk.unheard().has_value());
  auto const lost = talk.say(1, 64, now);
  BOOST_TEST((talk.unheard() == message_id{1, 0}));
  talk.heard(who, lost, now);
  BOOST_TEST(!talk.unheard().has_value());
}

BOOST_AUTO_TEST_CASE(what_was_missed_up_to_a_seq_counts_when_others_have_got_it) {
  send_times sent(1);
  traffic talk({1, 1}, sent, true);
  receiver first(talk.room(0));
  receiver second(talk.room(0));
  auto const now = clock::now();
  auto const hear = [&](receiver& who, std::string_view json) { return talk.heard(who, json, now); };
  auto const greeting = R"({"type":"welcome","room":"r","name":"me","users":1,"epoch":1,"seq":0,"recovered":false})";
  for (auto* const who : {&first, &second}) hear(*who, greeting);
  talk.begin(6);
  std::vector<std::string> events;
  for (int seq = 1; seq != 4; ++seq) {
    auto const said = talk.say(0, 64, now);
    BOOST_TEST(said.starts_with(R"({"type":"say","text":"bench )"));
    auto const text = said.substr(said.find("bench"), 64);
    events.push_back(R"({"type":"message","seq":)" + std::to_string(seq) + R"(,"from":"me","text":")" + text +
                     R"(","at":1})");
  }
  for (auto* const who : {&first, &second}) BOOST_TEST(hear(*who, events[0]).has_value());
  hear(second, R"({"type":"gap","from":2,"to":3})");
  BOOST_TEST(talk.missed() == 0u);
  hear(first, events[1]);
  BOOST_TEST(talk.missed() == 1u);
  BOOST_TEST(!talk.complete());
  hear(first, events[2]);
  BOOST_TEST(talk.missed() == 2u);
  BOOST_TEST(talk.complete());
}

BOOST_AUTO_TEST_CASE(what_is_said_on_one_thread_is_timed_on_another) {
  send_times sent(2);
  traffic here({1, 2}, sent);
  traffic there({1, 2}, sent);
  receiver who(there.room(0));
  auto const now = clock::now();
  there.begin(2);
  there.heard(who, here.say(0, 64, now), now + 1ms);
  there.heard(who, there.say(1, 64, now), now + 3ms);
  BOOST_TEST(there.complete());
  BOOST_TEST(there.times().summary().max == 3'000);
  BOOST_TEST(!there.unheard().has_value());
  // Only from others one knows that somebody has heard it.
  BOOST_TEST((here.unheard() == message_id{0, 0}));
  auto common = ledgers_of({1, 2});
  there.agree_with(common);
  here.agree_with(common);
  BOOST_TEST(!here.unheard().has_value());
  tally all = here.counted();
  all += there.counted();
  BOOST_TEST(all.delivered == 2u);
  BOOST_TEST(all.times.count() == 2u);
}

BOOST_AUTO_TEST_CASE(what_all_on_one_thread_missed_up_to_a_seq_counts_when_others_have_got_it) {
  send_times sent(1);
  traffic here({1, 1}, sent, true);
  traffic there({1, 1}, sent, true);
  receiver hears(here.room(0));
  receiver misses(there.room(0));
  auto const now = clock::now();
  auto const greeting = R"({"type":"welcome","room":"r","name":"me","users":1,"epoch":1,"seq":0,"recovered":false})";
  here.heard(hears, greeting, now);
  there.heard(misses, greeting, now);
  there.begin(2);
  for (auto const* const seq : {"1", "2"}) {
    auto const said = here.say(0, 64, now);
    auto const event = R"({"type":"message","seq":)"s + seq + R"(,"from":"me","text":")" +
                       said.substr(said.find("bench"), 64) + R"(","at":1})";
    here.heard(hears, event, now);
    there.heard(misses, seq == "1"s ? event : R"({"type":"gap","from":2,"to":2})", now);
  }
  BOOST_TEST(there.missed() == 0u);
  auto common = ledgers_of({1, 1});
  here.agree_with(common);
  there.agree_with(common);
  BOOST_TEST(there.complete());
  BOOST_TEST(there.missed() == 1u);
}

BOOST_AUTO_TEST_CASE(threads_divide_the_participants) {
  for (auto const count : {0u, 5u, 8u, 1001u}) {
    std::size_t next = 7;
    for (std::size_t thread = 0; thread != 4; ++thread) {
      auto const part = part_of({7, count}, thread, 4);
      BOOST_TEST(part.first == next);
      BOOST_TEST(part.count >= count / 4);
      BOOST_TEST(part.count <= count / 4 + 1);
      next += part.count;
    }
    BOOST_TEST(next == 7 + count);
  }
}

BOOST_AUTO_TEST_CASE(participants_and_senders_are_spread_over_rooms) {
  seating const seats{3, 2};
  // Rooms of 0, 3, 6, 9 and of 1, 4, 7 and of 2, 5, 8.
  constexpr std::size_t participants = 10;
  std::vector<std::size_t> chosen;
  for (std::size_t s = 0; s != seats.senders(); ++s) {
    chosen.push_back(seats.seat_of(s, participants));
    BOOST_TEST(seats.room_of_participant(chosen.back()) == seats.room_of_sender(s));
  }
  BOOST_TEST(chosen == (std::vector<std::size_t>{3, 9, 1, 7, 2, 8}), boost::test_tools::per_element());
  BOOST_TEST((seating{1, 1}.seat_of(0, 1000)) == 500u);
}

BOOST_AUTO_TEST_CASE(each_sender_says_its_share) {
  auto const shares = seating{2, 2}.shares(6);
  BOOST_TEST(shares == (std::vector<std::size_t>{2, 2, 1, 1}), boost::test_tools::per_element());
  BOOST_TEST((seating{2, 1}.shares(0)) == (std::vector<std::size_t>{0, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(rooms_are_complete_together) {
  send_times sent(4);
  traffic talk({2, 2}, sent);
  receiver first(talk.room(0));
  receiver second(talk.room(1));
  talk.begin(2);
  auto const now = clock::now();
  talk.heard(second, talk.say(2, 64, now), now);
  BOOST_TEST(!talk.complete());
  auto const last = talk.say(1, 64, now);
  BOOST_TEST((talk.unheard() == message_id{1, 0}));
  BOOST_CHECK_THROW(talk.heard(second, last, now), check_failed);
  talk.heard(first, last, now);
  BOOST_TEST(talk.complete());
}

BOOST_AUTO_TEST_CASE(rooms_are_below_the_path) {
  auto const paths = [](std::string const& url, std::size_t rooms) {
    std::vector<std::string> found;
    for (auto const& room : rooms_of({parse_url(url), {}}, rooms)) found.push_back(room.url.path);
    return found;
  };
  using list = std::vector<std::string>;
  BOOST_TEST(paths("ws://h/chat", 0) == list{"/chat"}, boost::test_tools::per_element());
  BOOST_TEST(paths("ws://h/chat", 2) == (list{"/chat/room0", "/chat/room1"}), boost::test_tools::per_element());
  BOOST_TEST(paths("ws://h/chat/?name=x", 1) == list{"/chat/room0?name=x"}, boost::test_tools::per_element());
  BOOST_TEST(paths("ws://h", 1) == list{"/room0"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_message_of_another_run_is_noticed) {
  send_times sent(1);
  traffic talk({1, 1}, sent);
  receiver who(talk.room(0));
  BOOST_CHECK_THROW(talk.heard(who, make_text({0, 0}, 64), clock::now()), check_failed);
  BOOST_CHECK_THROW(talk.heard(who, make_text({5, 0}, 64), clock::now()), check_failed);
}

BOOST_AUTO_TEST_CASE(a_report_is_a_table_and_an_object) {
  report found;
  found.add("server.cpu_us_per_delivery", 0.25812, "CPU");
  found.add("server.rss_bytes", std::uint64_t{5'242'880}, "memory");
  found.add("deliveries", std::uint64_t{1'234'567}, "deliveries");
  found.add("busy", 0.5, "busy");
  found.add("elapsed_s", 1.5);
  BOOST_TEST(found.table() ==
             "  CPU         0.258 us\n"
             "  memory      5.00 MiB\n"
             "  deliveries  1,234,567\n"
             "  busy        50 %\n");
  auto const json = found.json();
  BOOST_TEST(json.at("server").at("cpu_us_per_delivery").as_double() == 0.25812);
  BOOST_TEST(json.at("server").at("rss_bytes").as_uint64() == 5'242'880u);
  BOOST_TEST(json.at("elapsed_s").as_double() == 1.5);
}

BOOST_AUTO_TEST_CASE(a_process_is_measured) {
  process_meter const self(::getpid());
  auto const before = self.cpu();
  BOOST_TEST(before.count() > 0);
  auto const used = self.mem();
  BOOST_TEST(used.resident > 0u);
  BOOST_TEST(used.peak >= used.resident);
  BOOST_TEST((own_cpu() >= before));
  constexpr pid_t more_than_there_can_be = 4'194'305;  // PID_MAX_LIMIT of Linux, and one
  BOOST_CHECK_THROW(process_meter{more_than_there_can_be}, check_failed);
}

BOOST_AUTO_TEST_CASE(a_time_on_the_wall_clock_is_one_on_the_steady_clock) {
  std::chrono::system_clock::time_point const wall(100s);
  auto const now = clock::now();
  BOOST_TEST((steady_time_of({98, 500'000'000}, wall, now) == now - 1500ms));
  BOOST_TEST((steady_time_of({100, 0}, wall, now) == now));
  // The wall clock was set back meanwhile.
  BOOST_TEST((steady_time_of({105, 0}, wall, now) == now));
}

BOOST_AUTO_TEST_CASE(memory_of_tcp_is_found) {
  auto const sockstat =
      "sockets: used 9\n"
      "TCP: inuse 1 orphan 0 tw 2 alloc 1 mem 113\n"
      "UDP: inuse 0 mem 7\n";
  BOOST_TEST(find_tcp_pages(sockstat).value() == 113u);
  BOOST_TEST(!find_tcp_pages("UDP: inuse 0 mem 7\n").has_value());
  BOOST_TEST(!find_tcp_pages("TCP: inuse 1\n").has_value());
}

BOOST_AUTO_TEST_CASE(shortages_of_memory_for_tcp_are_found) {
  auto const netstat =
      "TcpExt: SyncookiesSent TCPMemoryPressures TCPMemoryPressuresChrono\n"
      "TcpExt: 1 2 3\n"
      "IpExt: InNoRoutes InTruncatedPkts\n"
      "IpExt: 4 5\n";
  BOOST_TEST(find_tcp_shortages(netstat).value() == 2u);
  BOOST_TEST(!find_tcp_shortages("TcpExt: SyncookiesSent\nTcpExt: 1\n").has_value());
  BOOST_TEST(!find_tcp_shortages("").has_value());
}

BOOST_AUTO_TEST_CASE(each_command_has_its_defaults) {
  auto const fanout = parse({"fanout"});
  BOOST_TEST((fanout.what == command::fanout));
  BOOST_TEST(fanout.to.path == "/chat");
  BOOST_TEST(fanout.receivers == 1000u);
  BOOST_TEST(fanout.in_flight == 32u);
  BOOST_TEST(fanout.rate == 0);
  BOOST_TEST(fanout.size == 64u);
  BOOST_TEST((fanout.timeout == 60s));
  auto const stalled = parse({"stalled", "--stalled=25%", "ws://localhost:9000/x"});
  BOOST_TEST(stalled.stalled_share == 0.25);
  BOOST_TEST(stalled.rate == 100);
  BOOST_TEST(stalled.to.path == "/x");
  BOOST_TEST(parse({"connect"}).connections == 2000u);
  BOOST_TEST(parse({"churn", "--churn", "0.5"}).churn_rate == 0.5);
}

BOOST_AUTO_TEST_CASE(each_thread_has_a_core) {
  BOOST_TEST(parse({"idle", "--server-pid=1"}).threads == 1u);
  BOOST_TEST(parse({"fanout", "--cpu=3"}).cores == std::vector{3u}, boost::test_tools::per_element());
  BOOST_TEST(parse({"fanout", "--cpu=1,4-6", "--threads=4"}).cores == (std::vector{1u, 4u, 5u, 6u}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(in_a_storm_all_do_all_at_once) {
  auto const storm = parse({"storm"});
  BOOST_TEST(storm.connections == 5000u);
  BOOST_TEST(storm.senders == 5000u);
  BOOST_TEST(storm.at_once == 5000u);
  BOOST_TEST(storm.talk == 1u);
  BOOST_TEST(storm.size == 64u);
  BOOST_TEST(parse({"storm", "--connections=50"}).at_once == 50u);
  BOOST_TEST(parse({"storm", "--connections=50"}).senders == 50u);
  BOOST_TEST(parse({"storm", "--at-once=5", "--talk=0"}).at_once == 5u);
  BOOST_TEST(parse({"storm", "--at-once=5", "--talk=0"}).talk == 0u);
}

BOOST_AUTO_TEST_CASE(bad_usage_is_named) {
  auto const complains = [](std::vector<char const*> const& arguments, std::string const& words) {
    BOOST_CHECK_EXCEPTION(parse(arguments), cli::usage_error, [&](cli::usage_error const& e) {
      BOOST_TEST(std::string(e.what()).find(words) != std::string::npos, e.what());
      return true;
    });
  };
  complains({"sprint"}, "'sprint' is no command");
  complains({"fanout", "--connections=3"}, "command line: unknown option '--connections'");
  complains({"fanout", "--size=8"}, "--size: '8' will not do: expected a size from 32 to");
  complains({"fanout", "--rate=0"}, "--rate: '0' will not do");
  complains({"fanout", "--rate=5", "--in-flight=5"}, "choose one");
  complains({"fanout", "--receivers=5", "--senders=6"}, "--senders");
  complains({"fanout", "--receivers=5", "--rooms=6"}, "--rooms: there are not so many --receivers");
  complains({"idle", "--connections=5", "--rooms=6", "--server-pid=1"}, "--rooms: there are not so many --connections");
  complains({"fanout", "--receivers=5", "--rooms=3", "--senders=2"},
            "--senders: there are not so many --receivers in a room");
  complains({"fanout", "--receivers=200000", "--rooms=100000", "--senders=2"}, "--senders: there may be 100000 in all");
  complains({"storm", "--rooms=5"}, "command line: unknown option '--rooms'");
  complains({"fanout", "http://localhost/"}, "ws://");
  complains({"fanout", "--threads=0"}, "--threads: '0' will not do: expected a number from 1 to 256");
  complains({"fanout", "--receivers=5", "--threads=6"}, "--threads: there are not so many --receivers");
  complains({"connect", "--connections=5", "--threads=6"}, "--threads: there are not so many --connections");
  for (auto const* const command : {"stalled", "churn", "storm"})
    complains({command, "--threads=2"}, "command line: unknown option '--threads'");
  complains({"fanout", "--cpu=1,2"}, "--cpu: there are 2 cores for 1 --threads");
  complains({"fanout", "--cpu=1", "--threads=2"}, "--cpu: there are 1 cores for 2 --threads");
  for (auto const* const cores : {"", "x", "-1", "1-", "1,", "1,,2", "3-2", "1-2-3", "4096", "99999999999"})
    complains({"fanout", "--cpu", cores}, "expected cores from 0 to 4095, such as 1 or 2,4-7");
  complains({"idle"}, "--server-pid");
  complains({"stalled", "--receivers=5"}, "--stalled");
  complains({"stalled", "--stalled=10"}, "expected a share");
  complains({"storm", "--senders=5"}, "command line: unknown option '--senders'");
  complains({"storm", "--talk=101"}, "--talk: '101' will not do: expected a number from 0 to 100");
}

BOOST_AUTO_TEST_CASE(help_names_the_commands_and_their_options) {
  BOOST_TEST(parse({}).answer.find("stalled") != std::string::npos);
  BOOST_TEST(parse({"idle", "--help"}).answer.find("--connections") != std::string::npos);
  BOOST_TEST(parse({"idle", "--help"}).answer.find("--in-flight N") == std::string::npos);
  BOOST_TEST(parse({"storm", "--help"}).answer.find("--talk N") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::bench
