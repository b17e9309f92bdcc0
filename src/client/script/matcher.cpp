#include "client/script/matcher.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/regex.hpp>

#include "client/utf8.hpp"

namespace chorus::script {

namespace {

/// The value of a variable, so that it means itself in a regular expression.
std::string escape_regex(std::string const& value) {
  std::string escaped;
  for (auto const c : value) {
    if (std::string_view(".[{}()\\*+?|^$").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Wide, so that `.` is a character and not a byte.
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

struct matching {
  message const& came;
  variables const& known;

  std::optional<variables> operator()(exact const& expected) const {
    return only_if(came.binary == expected.binary && came.data == expected.expected.expand(known));
  }

  std::optional<variables> operator()(pattern const& expected) const {
    if (came.binary) return std::nullopt;
    auto const regex = compile(expected.expression, known);
    auto const subject = widen(came.data);
    boost::wsmatch found;
    try {
      if (!boost::regex_search(subject, found, regex)) return std::nullopt;
    } catch (std::runtime_error const&) {
      throw script_error(expected.expression.where(), "the regular expression takes too long to match this message");
    }
    variables captured;
    for (auto const& name : expected.captures)
      if (auto const& group = found[widen(name)]; group.matched) captured[name] = narrow(group.str());
    return captured;
  }

  std::optional<variables> operator()(json_subset const& expected) const {
    boost::system::error_code error;
    auto const value = came.binary ? boost::json::value() : boost::json::parse(came.data, error);
    if (came.binary || error) return std::nullopt;
    return match_subset(expected.expected, value, known);
  }

 private:
  static std::optional<variables> only_if(bool matches) { return matches ? std::optional(variables()) : std::nullopt; }
};

struct describing {
  variables const& known;

  std::string operator()(exact const& one) const { return quote(message{one.binary, one.expected.expand(known)}); }
  std::string operator()(pattern const& one) const { return "/" + one.expression.expand(known, escape_regex) + "/"; }
  std::string operator()(json_subset const& one) const {
    return "at least " + boost::json::serialize(expand(one.expected, known));
  }
};

}  // namespace

std::string quote(message const& what) { return what.binary ? "binary " + quote_hex(what.data) : quote(what.data); }

std::optional<variables> match(matcher const& expected, message const& came, variables const& known) {
  return std::visit(matching{came, known}, expected);
}

std::string describe(matcher const& expected, variables const& known) {
  return std::visit(describing{known}, expected);
}

std::string describe_difference(matcher const& expected, message const& came, variables const& known) {
  constexpr std::size_t shows_itself = 60;
  auto const* whole = std::get_if<exact>(&expected);
  if (whole == nullptr || whole->binary || came.binary) return {};
  auto const wanted = whole->expected.expand(known);
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

}  // namespace chorus::script
