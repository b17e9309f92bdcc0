#pragma once
// The record of everything that happened while a script played.

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "client/script/matcher.hpp"

namespace chorus::script {

/// Writes one JSON object per event and line: {"at": seconds since the start, "user", "event", ...}. Owned by the run;
/// outlives all users.
class transcript {
 public:
  /// An empty name writes nothing. Throws std::runtime_error if the file cannot be written.
  explicit transcript(std::string const& file);

  /// `event` is one of those in docs/scripting.md; `code` is a close code or an HTTP status. Data that is binary or no
  /// UTF-8 stands in the member "hex" instead of "text".
  void add(std::string_view user, std::string_view event, std::optional<unsigned> code = {},
           std::optional<message> data = {});
  void add(std::string_view user, std::string_view event, message data) { add(user, event, {}, std::move(data)); }

 private:
  std::chrono::steady_clock::time_point start_;
  std::ofstream out_;
};

}  // namespace chorus::script
