#pragma once
// One line of a script, piece by piece.

#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "client/script/matcher.hpp"
#include "client/script/value.hpp"

namespace chorus::script {

/// Reads a line from left to right. What stands there instead of what was asked for is a script_error that says what
/// would be right. The line and the set must outlive it.
class scanner {
 public:
  /// `known` are the variables that may be used in the line.
  scanner(std::string_view line, std::size_t number, std::set<std::string> const& known)
      : line_(line), number_(number), known_(known) {}

  /// True if only blanks or a comment are left.
  bool at_end();
  /// Where the next word begins.
  position here();
  /// The first character of the next word, or a line feed at the end.
  char peek();

  /// Takes the next word if it is this one.
  bool take(std::string_view keyword);
  /// `what` names it for people, as in "a duration such as 200ms".
  std::string_view word(std::string_view what);
  /// A word that may contain variables.
  text word_with_variables(std::string_view what);

  /// Strings in quotes, with `*` and `+`.
  text string();
  /// A string, or bytes as in hex:0a0b.
  text bytes();
  /// A JSON value, which begins with a brace or a bracket.
  json_text json();
  matcher expectation();

  /// The next word, as `parse` reads it. What that throws, std::invalid_argument, becomes a script_error there.
  template <class Parse>
  auto value(std::string_view what, Parse parse) {
    auto const where = here();
    try {
      return parse(word(what));
    } catch (std::invalid_argument const& error) {
      throw script_error(where, error.what());
    }
  }

  [[noreturn]] void fail(std::string message);

 private:
  std::string_view rest() { return line_.substr(here().offset); }
  text checked(text read) const;
  void end_word() const;
  text one_string();
  pattern regex();
  json_subset json_with_captures();

  std::string_view line_;
  std::size_t number_;
  std::size_t at_ = 0;
  std::set<std::string> const& known_;
};

}  // namespace chorus::script
