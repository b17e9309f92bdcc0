#include "protocol/join_request.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "protocol/name.hpp"

namespace chorus {

using namespace std::string_literals;

namespace {

join_request request_of(std::string const& target) {
  BOOST_TEST_REQUIRE(is_chat_path(target), target);
  auto result = parse_join_request(target);
  auto const* const wrong = std::get_if<std::string>(&result);
  BOOST_TEST_REQUIRE(wrong == nullptr, target << ": " << (wrong == nullptr ? "" : *wrong));
  return std::get<join_request>(result);
}

/// What is wrong with it.
std::string complaint(std::string const& target) {
  auto const result = parse_join_request(target);
  auto const* const wrong = std::get_if<std::string>(&result);
  return wrong == nullptr ? "nothing" : *wrong;
}

void complains_of(std::string_view what, std::string const& target) {
  BOOST_TEST(complaint(target).starts_with(what), target << ": " << complaint(target));
}

std::string name_in(std::string const& query) { return request_of("/chat?name=" + query).name; }

}  // namespace

BOOST_AUTO_TEST_SUITE(chat_paths)

BOOST_AUTO_TEST_CASE(are_chat_and_all_below_it) {
  for (auto const* target :
       {"/chat", "/chat/", "/chat?", "/chat?x", "/chat/a", "/chat/a/b", "/chat/?name=x", "/chat/%"})
    BOOST_TEST(is_chat_path(target), target);
  for (auto const* target : {"", "/", "/cha", "/chatter", "/chat%2Fa", "/chats/a", "/Chat", "/%63hat", "chat", "//chat",
                             "/chat;a", "/chat#a", "/x/chat", "http://host/chat"})
    BOOST_TEST(!is_chat_path(target), target);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(join_requests)

BOOST_AUTO_TEST_CASE(nothing_asked_for_is_a_nameless_one_in_the_lobby) {
  for (auto const* target : {"/chat", "/chat?", "/chat?x", "/chat?later=use&=&&Name=bob&names=al"}) {
    auto const nothing = request_of(target);
    BOOST_TEST(nothing.room == "lobby");
    BOOST_TEST(nothing.name == "");
    BOOST_TEST(nothing.history == 0U);
    BOOST_TEST(!nothing.since);
  }
}

BOOST_AUTO_TEST_CASE(everything_can_be_asked_for) {
  auto const all = request_of("/chat/kitchen?name=bob&history=50&since=1764097282000:7");
  BOOST_TEST(all.room == "kitchen");
  BOOST_TEST(all.name == "bob");
  BOOST_TEST(all.history == 50U);
  BOOST_TEST((all.since == cursor{1764097282000, 7}));
}

BOOST_AUTO_TEST_CASE(room_is_of_1_to_64_characters) {
  BOOST_TEST(request_of("/chat/a").room == "a");
  BOOST_TEST(request_of("/chat/" + std::string(64, 'x')).room == std::string(64, 'x'));
  complains_of("A room ", "/chat/" + std::string(65, 'x'));
  complains_of("A room ", "/chat/");
  complains_of("A room ", "/chat/?name=bob");
}

BOOST_AUTO_TEST_CASE(room_is_made_of_letters_digits_and_three_signs) {
  auto const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"s;
  for (char const c : all) BOOST_TEST(request_of("/chat/"s + c + "x").room == c + "x"s);
  constexpr auto* digits = "0123456789ABCDEF";
  for (unsigned c = 0; c != 256; ++c) {
    auto const encoded = "/chat/x%"s + digits[c / 16] + digits[c % 16];
    if (all.find(static_cast<char>(c)) == std::string::npos) {
      complains_of("A room ", encoded);
    } else {
      BOOST_TEST(request_of(encoded).room == "x"s + static_cast<char>(c));
    }
  }
}

BOOST_AUTO_TEST_CASE(room_is_case_sensitive) { BOOST_TEST(request_of("/chat/Room").room == "Room"); }

BOOST_AUTO_TEST_CASE(room_is_no_way_to_elsewhere) {
  for (auto const* target : {"/chat/.", "/chat/..", "/chat/%2e", "/chat/.%2E", "/chat/%2e%2e", "/chat/a/b", "/chat/a/",
                             "/chat//", "/chat//a", "/chat/../chat", "/chat/./a", "/chat/a%2Fb", "/chat/a%2fb",
                             "/chat/%00", "/chat/a%00b", "/chat/a%5Cb", "/chat/a:b", "/chat/a+b", "/chat/a%20b"})
    complains_of("A room ", target);
  BOOST_TEST(request_of("/chat/...").room == "...");
  BOOST_TEST(request_of("/chat/.a").room == ".a");
}

BOOST_AUTO_TEST_CASE(what_is_encoded_without_need_is_the_same_room) {
  BOOST_TEST(request_of("/chat/%72oom").room == "room");
  BOOST_TEST(request_of("/chat/%6C%6f%62by").room == "lobby");
}

BOOST_AUTO_TEST_CASE(targets_that_are_no_targets_are_refused) {
  for (auto const* target : {"/chat/%", "/chat/%4", "/chat/%4g", "/chat/%zz", "/chat?name=%", "/chat?name=%e",
                             "/chat?%", "/chat?name=%gg", "/chat?x=%%", "/chat/a b", "/chat?name=a b", "/chat?name=a#b",
                             "/chat/\xc3\xa9", "/chat?name=\xc3\xa9", "/chat?name=<b>", "/chat?\x01"})
    complains_of("This is not a target ", target);
}

BOOST_AUTO_TEST_CASE(name_is_percent_encoded_utf_8) {
  BOOST_TEST(name_in("J%C3%BCrgen") == "J\u00fcrgen");
  BOOST_TEST(name_in("al%20b") == "al b");
  BOOST_TEST(name_in("al+b") == "al b");
  BOOST_TEST(name_in("al%2Bb") == "al+b");
  BOOST_TEST(name_in("%E5%BC%A0") == "\u5f20");
  BOOST_TEST(name_in("a=b") == "a=b");
  BOOST_TEST(name_in("a?/:@b") == "a?/:@b");
  BOOST_TEST(name_in("a%26history%3Djunk") == "a&history=junk");
  BOOST_TEST(request_of("/chat?n%61me=bob").name == "bob");
}

BOOST_AUTO_TEST_CASE(name_is_normalized) { BOOST_TEST(name_in("A%CC%81lice") == "\u00c1lice"); }

BOOST_AUTO_TEST_CASE(bad_names_are_refused_with_the_rules) {
  for (auto const* name : {"", "%20bob", "+bob", "bob+", "%C2%A0bob", "%00", "a%00", "a%0Ab", "%C0%AF", "%FF",
                           "%ED%A0%80", "a%E2%80%AEb", "%E2%80%8B", "%5Bbob%5D", "user7", "Chorus", "%E2%80%8D"})
    complains_of(name_rules, "/chat?name="s + name);
  complains_of(name_rules, "/chat?name=" + std::string(33, 'x'));
  complains_of(name_rules, "/chat?name");
  BOOST_TEST(name_in(std::string(32, 'x')).size() == 32U);
}

BOOST_AUTO_TEST_CASE(history_is_a_whole_number) {
  for (auto const& [text, messages] :
       {std::pair("0", 0ULL), {"1", 1ULL}, {"0050", 50ULL}, {"%35", 5ULL}, {"9007199254740992", 9007199254740992ULL}})
    BOOST_TEST(request_of("/chat?history="s + text).history == messages);
  for (auto const* text :
       {"", "-1", "-0", "+5", "%2B5", "1.0", "1e3", "0x10", "5+", "+", "%205", "many", "5%00", "9007199254740993",
        "18446744073709551615", "18446744073709551617", "99999999999999999999999999"})
    complains_of("history is ", "/chat?history="s + text);
  complains_of("history is ", "/chat?history");
}

BOOST_AUTO_TEST_CASE(since_is_two_whole_numbers) {
  BOOST_TEST((request_of("/chat?since=0:0").since == cursor{0, 0}));
  BOOST_TEST((request_of("/chat?since=1%3A2").since == cursor{1, 2}));
  BOOST_TEST((request_of("/chat?since=9007199254740992:9007199254740992").since ==
              cursor{9007199254740992, 9007199254740992}));
  for (auto const* text : {"",
                           ":",
                           "1",
                           "1:",
                           ":1",
                           "1:2:3",
                           "1::2",
                           "1:-2",
                           "-1:2",
                           "1.0:2",
                           "1:2.0",
                           "a:b",
                           "1:2x",
                           "1;2",
                           "1:+2",
                           "1:%202",
                           "1:2+",
                           "9007199254740993:1",
                           "1:9007199254740993",
                           "1:18446744073709551617",
                           "1:2%00"})
    complains_of("since is ", "/chat?since="s + text);
  complains_of("since is ", "/chat?since");
}

BOOST_AUTO_TEST_CASE(cursors_are_read_as_they_are_written) {
  cursor const place{1764097282000, 42};
  BOOST_TEST(to_string(place) == "1764097282000:42");
  BOOST_TEST((parse_cursor(to_string(place)) == place));
}

/// What counts no more need not be right either.
BOOST_AUTO_TEST_CASE(of_a_parameter_that_is_given_twice_the_last_counts) {
  BOOST_TEST(request_of("/chat?name=al&name=bob").name == "bob");
  BOOST_TEST(request_of("/chat?name=al&history=1&n%61me=bob").name == "bob");
  BOOST_TEST(request_of("/chat?name=&name=bob").name == "bob");
  BOOST_TEST(request_of("/chat?history=1&history=2&history=3").history == 3U);
  BOOST_TEST(request_of("/chat?history=junk&history=3").history == 3U);
  BOOST_TEST((request_of("/chat?since=junk&since=1:2").since == cursor{1, 2}));
  complains_of(name_rules, "/chat?name=bob&name=");
  complains_of("history is ", "/chat?history=3&history=junk");
  complains_of("since is ", "/chat?since=1:2&since=1");
}

BOOST_AUTO_TEST_CASE(unknown_parameters_are_ignored) {
  auto const known = request_of("/chat/a?token=%FF%00&name=bob&room=b&=x&NAME=al");
  BOOST_TEST(known.room == "a");
  BOOST_TEST(known.name == "bob");
}

/// Seeded. What comes back keeps the rules, whatever came.
BOOST_AUTO_TEST_CASE(no_target_is_taken_for_what_it_is_not) {
  constexpr std::string_view parts[] = {"/",  "?",  "&",    "=",        "%",      "%2F",  "%00", "%FF",  "a",
                                        "..", "+",  ":",    "name",     "since",  "1",    "-",   "[",    "%C3%A9",
                                        " ",  "\n", "\xff", "history=", "&name=", "room", "#",   "/chat"};
  std::mt19937 random(10);
  int accepted = 0;
  for (int i = 0; i != 50'000; ++i) {
    auto target = "/chat"s;
    for (auto left = random() % 12; left != 0; --left) target += parts[random() % std::size(parts)];
    auto const result = parse_join_request(target);
    auto const* const request = std::get_if<join_request>(&result);
    if (request == nullptr) continue;
    ++accepted;
    BOOST_TEST_REQUIRE(!request->room.empty());
    BOOST_TEST_REQUIRE(request->room.find_first_of("/%\0 "s) == std::string::npos);
    if (!request->name.empty()) BOOST_TEST_REQUIRE(normalize_name(request->name).value_or("") == request->name);
  }
  BOOST_TEST(accepted > 1000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
