#pragma once
// Which of one's own commands in chorus.v1 have been answered.

#include <list>
#include <string>
#include <string_view>

namespace chorus {

/// Remembers commands until something comes that answers them: a `say` comes back as a message with the same text and
/// id, `users` as users, `rename` as renamed, `replay` as replayed, and anything as an error, which has its id. Pure.
class own_commands {
 public:
  /// Any text: what is no command at all is answered with an error.
  void sent(std::string_view line);
  void came_back(std::string_view event);
  bool all_came_back() const { return outstanding_.empty(); }

 private:
  struct command {
    std::string answer;  ///< the type of the event
    std::string text;
    std::string id;
  };

  std::list<command> outstanding_;
};

}  // namespace chorus
