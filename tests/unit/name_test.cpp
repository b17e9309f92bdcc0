#include "protocol/name.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <string_view>

namespace chorus {

using namespace std::string_literals;

namespace {

/// Characters by their code points, where the eye does not tell.
auto const joiner = "\u200d"s;
auto const non_joiner = "\u200c"s;
auto const no_break_space = "\u00a0"s;
auto const ideographic_space = "\u3000"s;
auto const composed = "\u00c1lice"s;
auto const decomposed = "A\u0301lice"s;

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  while (times-- != 0) all += text;
  return all;
}

void accepts(std::string const& name) { BOOST_TEST(normalize_name(name).value_or("refused") == name); }
void refuses(std::string const& name) { BOOST_TEST(!normalize_name(name), "accepted: " << name); }

bool same(std::string_view a, std::string_view b) { return name_key(a) == name_key(b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(ordinary_ones_are_accepted_as_they_are) {
  for (auto const* name :
       {"a", "bob", "Alice", "al pacino", "a.b-c_d", "bob-2", "#1 <b>&\"'\\/", "\u00c1lice", "\u5f20\u4f1f",
        "\u0633\u0627\u0631\u0627", "\U0001f600", "\ue000", "a b", "a\u3000b", "a\u00a0b"})
    accepts(name);
}

BOOST_AUTO_TEST_CASE(length_is_counted_in_code_points) {
  accepts(std::string(32, 'x'));
  refuses(std::string(33, 'x'));
  accepts(repeated("\U0001f600", 32));
  refuses(repeated("\U0001f600", 33));
  refuses("");
}

BOOST_AUTO_TEST_CASE(length_is_that_of_the_normal_form) {
  BOOST_TEST(normalize_name(repeated("a\u0301", 32)).value_or("refused") == repeated("\u00e1", 32));
  refuses(repeated("a\u0301", 33));
  // No character of the normal form comes of more than four: alpha with three marks.
  BOOST_TEST(normalize_name(repeated("\u03b1\u0313\u0300\u0345", 32)).value_or("refused") == repeated("\u1f82", 32));
  // The normal form may be the longer one: this note is taken to three parts, and not put together again.
  BOOST_TEST(normalize_name(repeated("\U0001d160", 10)).value_or("refused") ==
             repeated("\U0001d158\U0001d165\U0001d16e", 10));
  refuses(repeated("\U0001d160", 11));
}

BOOST_AUTO_TEST_CASE(normal_form_is_the_composed_one) {
  BOOST_TEST(normalize_name(decomposed).value() == composed);
  BOOST_TEST(normalize_name(composed).value() == composed);
  BOOST_TEST(normalize_name("\u212b").value() == "\u00c5");
  // Compatibility is none of it: full width stays full width.
  accepts("\uff42\uff4f\uff42");
}

BOOST_AUTO_TEST_CASE(control_characters_are_refused) {
  for (char c = 0; c != ' '; ++c) refuses("a"s + c + "b");
  refuses("\0"s);
  refuses("bob\n");
  refuses("\tbob");
  refuses("a\x7f");
  refuses("a\u0085z");
  refuses("a\u009fz");
}

BOOST_AUTO_TEST_CASE(separators_and_format_characters_are_refused) {
  for (auto const* point :
       {"\u2028", "\u2029", "\u202a", "\u202d", "\u202e", "\u2066", "\u2069", "\u200b", "\u200e", "\u200f", "\u061c",
        "\u00ad", "\u2060", "\ufeff", "\u180e", "\ufff9", "\U000e0001", "\U000e0041"}) {
    refuses(point);
    refuses("a"s + point + "z");
  }
}

BOOST_AUTO_TEST_CASE(joiners_are_part_of_words_and_emoji) {
  accepts("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645");
  accepts("\U0001f469\u200d\U0001f4bb");
  accepts("\u2764\ufe0f");
}

BOOST_AUTO_TEST_CASE(what_does_not_show_is_no_name) {
  refuses(joiner);
  refuses(non_joiner + joiner);
  refuses("\ufe0f");
  refuses("\u3164");
  refuses("\u115f\u1160");
  refuses("\u034f");
}

BOOST_AUTO_TEST_CASE(brackets_are_refused) {
  for (auto const* name : {"[", "]", "a]: b", "[chorus", "bob]"}) refuses(name);
  // Others are none: they do not end a label.
  accepts("(bob)");
  accepts("\uff3bbob\uff3d");
}

BOOST_AUTO_TEST_CASE(white_space_at_an_end_is_refused) {
  for (auto const& space : {" "s, no_break_space, ideographic_space, "\u2003"s, "\u1680"s, "\u202f"s}) {
    refuses(space);
    refuses(space + "bob");
    refuses("bob" + space);
    refuses(space + "bob" + space);
  }
}

BOOST_AUTO_TEST_CASE(white_space_does_not_hide_behind_what_does_not_show) {
  refuses(joiner + " bob");
  refuses("bob " + joiner);
  refuses("bob" + no_break_space + "\ufe0f");
  refuses(" " + joiner);
}

BOOST_AUTO_TEST_CASE(names_that_the_server_gives_are_reserved) {
  for (auto const* name : {"user0", "user7", "USER7", "User123", "user00000000000000000000000000", "u\u017fer7",
                           "us\u200der7", "user7\ufe0f", "chorus", "Chorus", "CHORUS", "choru\u017f", "cho\u200crus"})
    refuses(name);
  for (auto const* name : {"user", "userx", "user7x", "user-7", "user 7", "xuser7", "user\u0667", "user7-2", "choruses",
                           "chorus-2", "a chorus"})
    accepts(name);
}

BOOST_AUTO_TEST_CASE(what_is_not_utf_8_is_refused) {
  for (auto const* bytes :
       {"\xff", "a\x80", "\xc3", "\xe2\x82", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xed\xa0\xbd\xed\xb8\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
    refuses(bytes);
    refuses("a"s + bytes);
  }
}

/// Marks in the wrong order are sorted for the normal form, which takes the square of their number.
BOOST_AUTO_TEST_CASE(long_ones_are_refused_before_they_are_normalized, *boost::unit_test::timeout(30)) {
  auto const marks = repeated("\u0301", 16'000) + repeated("\u0316", 16'000);
  for (int i = 0; i != 100; ++i) refuses(marks);
}

BOOST_AUTO_TEST_CASE(whatever_is_accepted_is_its_own_normal_form) {
  constexpr std::string_view alphabet[] = {"a",      "A",      "\u0301", "\u0316", "\u0345", "\u00c1",
                                           "\u1f82", "\u1100", "\u1161", "\u11a8", " ",      "\u200d",
                                           "7",      "-",      "\u00df", "\u0130"};
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i != 20'000; ++i) {
    std::string name;
    for (auto left = 1 + random() % 40; left != 0; --left) name += alphabet[random() % std::size(alphabet)];
    auto const normal = normalize_name(name);
    if (!normal) continue;
    ++accepted;
    BOOST_REQUIRE_EQUAL(normalize_name(*normal).value_or("refused"), *normal);
    for (std::size_t const number : {2U, 99'999U})
      BOOST_REQUIRE_EQUAL(normalize_name(numbered_name(*normal, number)).value_or("refused"),
                          numbered_name(*normal, number));
  }
  BOOST_TEST(accepted > 1000);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(name_keys)

BOOST_AUTO_TEST_CASE(case_does_not_count) {
  BOOST_TEST(same("Alice", "alice"));
  BOOST_TEST(same("ALICE", "alice"));
  BOOST_TEST(same("\u00c1lice", "\u00e1lice"));
  BOOST_TEST(same("\u03a3", "\u03c2"));
  BOOST_TEST(same("\u00df", "SS"));
  BOOST_TEST(same("stra\u00dfe", "STRASSE"));
  BOOST_TEST(name_key("Alice") == "alice");
}

BOOST_AUTO_TEST_CASE(ascii_is_folded_as_the_tables_do) {
  std::string const other = "\u00e9";
  for (char c = ' '; c <= '~'; ++c) BOOST_TEST(name_key(c + other) == name_key(std::string(1, c)) + other, c);
}

BOOST_AUTO_TEST_CASE(composition_does_not_count) {
  BOOST_TEST(same(decomposed, composed));
  BOOST_TEST(same(decomposed, "\u00e1lice"));
}

BOOST_AUTO_TEST_CASE(what_does_not_show_does_not_count) {
  BOOST_TEST(same("al\u200dice", "alice"));
  BOOST_TEST(same("alice\u200c", "alice"));
  BOOST_TEST(same("alice\ufe0f", "alice"));
}

BOOST_AUTO_TEST_CASE(all_else_counts) {
  BOOST_TEST(!same("alice", "alice2"));
  BOOST_TEST(!same(composed, "alice"));
  BOOST_TEST(!same("a b", "ab"));
  BOOST_TEST(!same("a b", "a\u00a0b"));
  BOOST_TEST(!same("\uff42ob", "bob"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(numbered_names)

BOOST_AUTO_TEST_CASE(have_their_number_behind_them) {
  BOOST_TEST(numbered_name("bob", 2) == "bob-2");
  BOOST_TEST(numbered_name("bob-2", 2) == "bob-2-2");
  BOOST_TEST(numbered_name("al b", 12345) == "al b-12345");
}

/// Always at the same place, so that all that are made of one name belong together.
BOOST_AUTO_TEST_CASE(are_cut_between_code_points) {
  BOOST_TEST(numbered_name(std::string(32, 'x'), 99'999) == std::string(26, 'x') + "-99999");
  BOOST_TEST(numbered_name(std::string(32, 'x'), 2) == std::string(26, 'x') + "-2");
  BOOST_TEST(numbered_name(std::string(26, 'x'), 2) == std::string(26, 'x') + "-2");
  BOOST_TEST(numbered_name(repeated("\U0001f600", 32), 10) == repeated("\U0001f600", 26) + "-10");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
