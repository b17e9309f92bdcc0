#pragma once
// Who one is in a room, across connections.

#include <optional>
#include <string>

#include "client/conversation/server_event.hpp"

namespace chorus {

/// A member's name, and the name that it goes back to. After a reconnect the old connection may still be a member for a
/// while, under the old name, so the new one is somebody else until then. Pure: no input, no output.
class identity {
 public:
  /// Greeted under this name. From the first greeting on it is the name to keep.
  void welcomed(std::string name);
  /// The connection on which one is `name()` is lost, and may have said something of which we have not heard.
  void lost() { ghost_ = name_; }
  /// The room is another: there is no old connection in it.
  void forget_ghost() { ghost_.reset(); }

  /// The user has asked for another name: what it becomes is the name to keep.
  void rename_asked() { taking_back_ = false; }

  /// Events in the room's order. `present` says that one's own joining lies before: only then a name is one's own.
  void heard(v1::left const& event, bool present);
  void heard(v1::renamed const& event, bool present);

  std::string const& name() const { return name_; }
  /// The name to join under; empty: the server is to give one, as it gave the last.
  std::string wanted() const;
  /// The name to go back to now, as a `rename` that counts as asked for; nothing if it is not free, or not needed.
  std::optional<std::string> take_back();

  /// True while the old connection may be a member that still has something to say.
  bool has_ghost() const { return ghost_ && *ghost_ != name_; }
  /// Who is in the room, from the answer to `users`.
  void present(std::vector<std::string> const& names);

 private:
  std::string name_;
  std::string wanted_;
  std::optional<std::string> ghost_;  ///< the name of the old connection
  bool wanted_is_free_ = false;
  bool taking_back_ = false;
};

}  // namespace chorus
