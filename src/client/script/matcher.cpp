#include "client/script/matcher.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/regex.hpp>
#include <boost/regex/pending/unicode_iterator.hpp>

#include "client/script/json_match.hpp"

namespace chorus::script {

namespace {

// Wide characters, so that `.` is a character and not a byte.
std::wstring widen(std::string_view utf8) {
  using iterator = boost::u8_to_u32_iterator<std::string_view::const_iterator, wchar_t>;
  return {iterator(utf8.begin(), utf8.begin(), utf8.end()), iterator(utf8.end(), utf8.begin(), utf8.end())};
}

std::string narrow(std::wstring const& wide) {
  using iterator = boost::u32_to_u8_iterator<std::wstring::const_iterator, char>;
  return {iterator(wide.begin()), iterator(wide.end())};
}

/// The value of a variable, so that it means itself in a regular expression.
std::string escape_regex(std::string const& value) {
  std::string escaped;
  for (auto const c : value) {
    if (std::string_view(".[{}()\\*+?|^$").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

boost::wregex compile(text const& expression, variables const& known) {
  constexpr auto flags =
      boost::regex_constants::perl | boost::regex_constants::no_mod_m | boost::regex_constants::no_mod_s;
  try {
    return boost::wregex(widen(expression.expand(known, escape_regex)), flags);
  } catch (boost::regex_error const& error) {
    std::string_view const what = error.what();
    throw script_error(expression.where(), "bad regular expression: " + std::string(what.substr(0, what.find("  "))));
  } catch (std::out_of_range const&) {
    throw script_error(expression.where(), "the regular expression is not UTF-8");
  }
}

match_result match_one(exact_text const& expected, message const& came, variables const& known) {
  match_result result;
  result.matches = !came.binary && came.data == expected.expected.expand(known);
  return result;
}

match_result match_one(exact_bytes const& expected, message const& came, variables const& known) {
  match_result result;
  result.matches = came.binary && came.data == expected.expected.expand(known);
  return result;
}

match_result match_one(pattern const& expected, message const& came, variables const& known) {
  match_result result;
  if (came.binary) return result;
  auto const regex = compile(expected.expression, known);
  auto const subject = widen(came.data);
  boost::wsmatch found;
  try {
    result.matches = boost::regex_search(subject, found, regex);
  } catch (std::runtime_error const&) {
    throw script_error(expected.expression.where(), "the regular expression takes too long to match this message");
  }
  for (auto const& name : expected.captures)
    if (result.matches && found[widen(name)].matched) result.captured[name] = narrow(found[widen(name)].str());
  return result;
}

match_result match_one(json_subset const& expected, message const& came, variables const& known) {
  boost::system::error_code error;
  auto const value = came.binary ? boost::json::value() : boost::json::parse(came.data, error);
  match_result result;
  result.matches = !came.binary && !error && is_subset(expand(expected.expected, expected.where, known), value);
  return result;
}

std::string describe_one(exact_text const& expected, variables const& known) {
  return quote(expected.expected.expand(known));
}

std::string describe_one(exact_bytes const& expected, variables const& known) {
  return "binary " + quote_hex(expected.expected.expand(known));
}

std::string describe_one(pattern const& expected, variables const& known) {
  return "/" + expected.expression.expand(known, escape_regex) + "/";
}

std::string describe_one(json_subset const& expected, variables const& known) {
  return "at least " + boost::json::serialize(expand(expected.expected, expected.where, known));
}

}  // namespace

std::string quote(message const& what) { return what.binary ? "binary " + quote_hex(what.data) : quote(what.data); }

match_result match(matcher const& expected, message const& came, variables const& known) {
  return std::visit([&](auto const& one) { return match_one(one, came, known); }, expected);
}

std::string describe(matcher const& expected, variables const& known) {
  return std::visit([&](auto const& one) { return describe_one(one, known); }, expected);
}

std::string describe_difference(matcher const& expected, message const& came, variables const& known) {
  constexpr std::size_t shows_itself = 60;
  auto const* exact = std::get_if<exact_text>(&expected);
  if (!exact || came.binary) return {};
  auto const wanted = exact->expected.expand(known);
  if (wanted.size() <= shows_itself && came.data.size() <= shows_itself) return {};
  auto const [here, there] = std::mismatch(wanted.begin(), wanted.end(), came.data.begin(), came.data.end());
  auto const at = static_cast<std::size_t>(here - wanted.begin());
  auto const excerpt = [at](std::string const& text) {
    return at == text.size() ? "the end" : quote(std::string_view(text).substr(at, 20));
  };
  return "from byte " + std::to_string(at) + ": expected " + excerpt(wanted) + ", came " + excerpt(came.data);
}

pattern make_pattern(text expression) {
  variables stand_in;
  for (auto const& name : expression.names()) stand_in[name] = "x";
  compile(expression, stand_in);
  auto const written = expression.expand(stand_in);
  pattern made{std::move(expression), {}};
  boost::regex const group(R"(\\.|\(\?<([A-Za-z_]\w*)>)");
  for (boost::sregex_iterator at(written.begin(), written.end(), group), end; at != end; ++at)
    if ((*at)[1].matched) made.captures.push_back((*at)[1].str());
  return made;
}

std::vector<std::string> names(matcher const& expected) {
  if (auto const* exact = std::get_if<exact_text>(&expected)) return exact->expected.names();
  if (auto const* bytes = std::get_if<exact_bytes>(&expected)) return bytes->expected.names();
  if (auto const* regex = std::get_if<pattern>(&expected)) return regex->expression.names();
  auto const& json = std::get<json_subset>(expected);
  return names(json.expected, json.where);
}

}  // namespace chorus::script
