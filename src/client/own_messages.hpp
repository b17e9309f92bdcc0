#pragma once
// Which of the messages that come are one's own.

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace chorus {

/// Remembers what was sent until it comes back, in order. The server says nowhere who one is; it shows when one's own
/// text comes back labelled.
class own_messages {
 public:
  void sent(std::string text) { outstanding_.push_back(std::move(text)); }

  /// True if `received` is the oldest outstanding text come back: as `[name]: text`, as `You said: text`, or bare.
  bool came_back(std::string_view received);

  bool all_came_back() const { return outstanding_.empty(); }

  /// The name in the last label that came back; empty before.
  std::string const& name() const { return name_; }

 private:
  std::deque<std::string> outstanding_;
  std::string name_;
};

/// Splits `[name]: text`.
struct labelled {
  std::string_view name;
  std::string_view text;
};
std::optional<labelled> parse_label(std::string_view message);

}  // namespace chorus
