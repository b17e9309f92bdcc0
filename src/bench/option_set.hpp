#pragma once
// Which options each command of chorus-bench has.

#include <boost/program_options.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench_options.hpp"

namespace chorus::bench {

/// The options of one command, bound to where their values go: `to` must outlive the set.
class option_set {
 public:
  option_set(command what, bench_options& to);

  boost::program_options::options_description const& visible() const { return visible_; }

  /// Stores what was given on the command line. Throws `bench_usage_error` that says which value will not do.
  void apply(boost::program_options::variables_map const& given) const;

 private:
  using setter = std::function<void(std::string const&)>;

  template <class Number>
  static setter count_into(Number& to, std::uint64_t least, std::uint64_t most);
  void add(char const* name, char const* value_name, char const* default_text, char const* help, setter set);
  void add_load(command what);
  void add_stalled();
  void add_churn();
  void add_storm();
  void add_size();
  void add_common(command what);

  boost::program_options::options_description visible_;
  bench_options& to_;
  std::vector<std::pair<std::string, setter>> setters_;
};

}  // namespace chorus::bench
