#pragma once
// What a run tells the people and programs that started it.

#include <cstddef>
#include <string>

#include "client/script/diagnostic.hpp"
#include "client/script/step.hpp"

namespace chorus::script {

/// Writes results to standard output and failures to standard error; with TAP (the Test Anything Protocol, version 13)
/// everything to standard output. One test point per step that checks something, and for a step that fails.
class reporter {
 public:
  /// `script` must outlive it.
  reporter(source const& script, bool tap);

  /// `counters` are those of the repeats around it, as in "$i = 3".
  void passed(step const& what, std::string const& counters);
  void failed(step const& what, std::string const& counters, diagnostic why);
  /// Once, after the last step that was played.
  void finish(std::size_t users);

 private:
  void point(char const* result, step const& what, std::string const& counters);

  source const& script_;
  bool tap_;
  bool ok_ = true;
  std::size_t steps_ = 0;
  std::size_t points_ = 0;
};

/// The script cannot be played: its text is wrong, or it cannot be read.
void report_unplayable(std::string const& message, bool tap);

}  // namespace chorus::script
