#pragma once
// Text as it is written in a script: with escapes, variables and repetition.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/script/diagnostic.hpp"

namespace chorus::script {

/// Captures and counters, by name.
using variables = std::map<std::string, std::string, std::less<>>;

/// Which escapes are there besides `$name`, `${name}` and `$$`.
enum class notation {
  plain,   ///< none: names, paths, what JSON has unescaped already
  quoted,  ///< \n \t \" \\ \u{1F3B9} \xFF
  regex,   ///< only `${name}` is a variable, since `$` is an anchor; \/ is a slash
};

/// Text that may contain variables. What it is, is known when the script plays.
class text {
 public:
  text() = default;
  explicit text(std::string constant) { add(std::move(constant)); }

  /// Reads `written`, which stands at `where`. Throws script_error.
  static text parse(std::string_view written, position where, notation in);

  text& operator+=(text const& more);
  /// Itself, so many times. `times` is at most what fits in memory.
  void repeat(std::size_t times);

  /// The text itself, with the values of variables changed by `change`, if there is one. Throws script_error at
  /// `where()` if a variable is not defined.
  std::string expand(variables const& known, std::string (*change)(std::string const& value) = nullptr) const;

  bool is_constant() const;
  /// True if it is one variable and nothing else.
  bool is_variable() const;
  bool empty() const { return runs_.empty(); }
  /// What stands before the first `separator`, and the text after it and after blanks. The first part is empty if
  /// there is no separator before the first variable.
  std::pair<std::string, text> split(char separator) const;
  /// The variables in it.
  std::vector<std::string> names() const;

  position where() const { return where_; }

 private:
  struct piece {
    std::string constant;
    std::string variable;  ///< stands after the constant; empty if there is none
  };
  struct run {
    std::vector<piece> pieces;
    std::size_t times = 1;
  };

  void add(std::string constant, std::string variable = {});
  std::string const& value_of(std::string const& name, variables const& known) const;

  std::vector<run> runs_;
  position where_;
};

bool is_name_character(char c);

/// Bytes that are written in hexadecimal, two digits each. Throws script_error.
std::string parse_hex(std::string_view written, position where);

}  // namespace chorus::script
