#include "client/script/parser.hpp"

#include <utility>

#include "client/script/scanner.hpp"
#include "client/script/statements.hpp"

namespace chorus::script {

namespace {

constexpr auto default_deadline = std::chrono::seconds(5);
constexpr int deepest_nesting = 32;

class parser {
 public:
  explicit parser(source const& script) : script_(script) {}

  /// The statements up to the end of the script, or up to the `end` of the `repeat` at `opening`.
  std::vector<step> parse_block(position const* opening) {
    std::vector<step> steps;
    while (line_ < script_.lines.size()) {
      ++line_;
      scanner in(script_.line(line_), line_, known_.variables);
      if (in.at_end()) continue;
      auto const where = in.here();
      if (in.take("end")) {
        if (!opening) throw script_error(where, "'end' without a 'repeat'");
        if (!in.at_end()) in.fail("there is too much in this line");
        return steps;
      }
      parse_line(in, steps);
    }
    if (opening) throw script_error(*opening, "this 'repeat' has no 'end'");
    return steps;
  }

 private:
  void parse_line(scanner& in, std::vector<step>& steps) {
    auto deadline = deadline_;
    if (in.take("within")) {
      deadline = parse_duration(in);
      if (in.at_end()) deadline_ = deadline;
      if (in.at_end()) return;
    }
    auto const where = in.here();
    auto const name = in.word("a statement");
    auto& next = steps.emplace_back();
    next.where = where;
    next.deadline = deadline;
    parse_statement(name, in, known_, next);
    if (next.what == verb::repeat) parse_body(next);
  }

  void parse_body(step& repeat) {
    if (++depth_ > deepest_nesting) throw script_error(repeat.where, "there are too many 'repeat's inside each other");
    auto const is_new = known_.variables.insert(repeat.counter).second;
    repeat.body = parse_block(&repeat.where);
    if (is_new) known_.variables.erase(repeat.counter);
    --depth_;
  }

  source const& script_;
  std::size_t line_ = 0;
  int depth_ = 0;
  std::chrono::milliseconds deadline_ = default_deadline;
  scope known_;
};

}  // namespace

source make_source(std::string name, std::string_view content) {
  source script{std::move(name), {}};
  while (!content.empty()) {
    auto line = content.substr(0, content.find('\n'));
    content.remove_prefix(std::min(content.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    script.lines.emplace_back(line);
  }
  return script;
}

std::vector<step> parse(source const& script) { return parser(script).parse_block(nullptr); }

}  // namespace chorus::script
