#include "client/script/scanner.hpp"

#include <algorithm>
#include <boost/json/stream_parser.hpp>

#include "cli/values.hpp"

namespace chorus::script {

namespace {

constexpr std::size_t most_repetitions = 64 << 20;
constexpr std::string_view blanks = " \t";
constexpr std::string_view hex_prefix = "hex:";

/// The first `end` that no backslash escapes, from `from` on.
std::size_t find_unescaped(std::string_view line, char end, std::size_t from) {
  while (from < line.size() && line[from] != end) from += line[from] == '\\' ? 2 : 1;
  return from < line.size() ? from : line.npos;
}

}  // namespace

bool scanner::at_end() { return peek() == '\n'; }

position scanner::here() {
  at_ = std::min(line_.find_first_not_of(blanks, at_), line_.size());
  return {number_, at_};
}

char scanner::peek() {
  auto const left = rest();
  return left.empty() || left.front() == '#' ? '\n' : left.front();
}

bool scanner::take(std::string_view keyword) {
  auto const left = rest();
  if (left.substr(0, left.find_first_of(blanks)) != keyword) return false;
  at_ += keyword.size();
  return true;
}

std::string_view scanner::word(std::string_view what) {
  if (at_end() || peek() == '"') fail("expected " + std::string(what));
  auto const left = rest();
  auto const found = left.substr(0, left.find_first_of(blanks));
  at_ += found.size();
  return found;
}

text scanner::word_with_variables(std::string_view what) {
  auto const where = here();
  return checked(text::parse(word(what), where, notation::plain));
}

text scanner::string() {
  auto whole = one_string();
  while (take("+")) whole += one_string();
  return whole;
}

text scanner::one_string() {
  if (peek() != '"') fail("expected a string in quotes, such as \"hello\"");
  auto const begin = at_ + 1;
  auto const end = find_unescaped(line_, '"', begin);
  if (end == line_.npos) fail("this string has no closing quote");
  auto one = checked(text::parse(line_.substr(begin, end - begin), {number_, begin}, notation::quoted));
  at_ = end + 1;
  end_word();
  if (take("*")) {
    auto const where = here();
    auto const times = word("how often to repeat the string");
    try {
      one.repeat(cli::parse_size(times, 0, most_repetitions));
    } catch (std::invalid_argument const&) {
      throw script_error(where, "expected how often to repeat the string, such as 100 or 64KiB; at most 64MiB");
    }
  }
  return one;
}

text scanner::bytes() {
  if (!rest().starts_with(hex_prefix)) {
    if (peek() != '"') fail("expected a string in quotes, such as \"hello\", or bytes, such as hex:0a0b");
    return string();
  }
  auto const where = here();
  return text(parse_hex(word("bytes").substr(hex_prefix.size()), where));
}

matcher scanner::expectation() {
  switch (peek()) {
    case '"': return exact{string(), false};
    case '/': return regex();
    case '{':
    case '[': return json_with_captures();
    default: fail(R"(expected what must come: a string "...", a regular expression /.../, or JSON {...} or [...])");
  }
}

pattern scanner::regex() {
  auto const begin = here().offset + 1;
  auto const end = find_unescaped(line_, '/', begin);
  if (end == line_.npos) fail("this regular expression has no closing slash");
  at_ = end + 1;
  end_word();
  return make_pattern(checked(text::parse(line_.substr(begin, end - begin), {number_, begin}, notation::regex)));
}

json_subset scanner::json_with_captures() {
  auto read = json();
  auto captured = captures(read);
  return {std::move(read), std::move(captured)};
}

json_text scanner::json() {
  auto const where = here();
  boost::json::stream_parser parser;
  boost::system::error_code error;
  auto const left = rest();
  auto const size = parser.write_some(left.data(), left.size(), error);
  if (!error && !parser.done()) fail("this JSON has no end");
  if (error) throw script_error({number_, where.offset + size}, "this is no JSON: " + error.message());
  // It takes the blanks that follow, too.
  at_ = line_.find_last_not_of(blanks, at_ + size - 1) + 1;
  end_word();
  json_text read{parser.release(), where};
  for (auto const& name : names(read))
    if (!known_.contains(name)) throw script_error(where, "there is no variable $" + name + " here");
  return read;
}

text scanner::checked(text read) const {
  for (auto const& name : read.names())
    if (!known_.contains(name)) throw script_error(read.where(), "there is no variable $" + name + " here");
  return read;
}

void scanner::end_word() const {
  if (at_ < line_.size() && blanks.find(line_[at_]) == blanks.npos)
    throw script_error({number_, at_}, "expected a blank or the end of the line");
}

void scanner::fail(std::string message) { throw script_error(here(), std::move(message)); }

}  // namespace chorus::script
