#pragma once
// The record of everything that happened while a script played.

#include <chrono>
#include <fstream>
#include <string>
#include <string_view>

#include "client/script/matcher.hpp"

namespace chorus::script {

/// Writes one JSON object per event and line: {"at": seconds since the start, "user", "event", ...}. Owned by the run;
/// outlives all users.
class transcript {
 public:
  /// An empty name writes nothing. Throws std::runtime_error if the file cannot be written.
  explicit transcript(std::string const& file);

  /// `what` is one of the words in docs/scripting.md.
  void add(std::string_view user, std::string_view what);
  void add(std::string_view user, std::string_view what, std::string_view text);
  /// Binary data stands in the member "hex" instead of "text".
  void add(std::string_view user, std::string_view what, message const& data);
  /// With a close code or an HTTP status.
  void add(std::string_view user, std::string_view what, unsigned code, std::string_view text);

 private:
  struct entry;
  void write(entry const& one);

  std::chrono::steady_clock::time_point start_;
  std::ofstream out_;
};

}  // namespace chorus::script
