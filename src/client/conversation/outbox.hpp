#pragma once
// What the user has typed and the room has not yet been heard to say.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chorus {

/// Lines in the order in which they were typed, each with an id that comes back with it. A line is sent again only when
/// it is known not to have arrived. Pure: no input, no output.
class outbox {
 public:
  struct line {
    std::string id;
    std::string text;
    enum class state {
      waiting,   ///< to be sent
      sent,      ///< on this connection or on one that was lost: its echo will tell, or its absence
      doubtful,  ///< sent, and its echo may be among what was lost: its absence tells nothing
    } state = state::waiting;
  };

  /// `id_prefix` is unlike that of any other client, and fits into an id with a number behind it.
  explicit outbox(std::string id_prefix) : id_prefix_(std::move(id_prefix)) {}

  void add(std::string text);

  /// The line with this id has arrived, or was refused: it is returned, and forgotten here.
  std::optional<line> take(std::string_view id);

  /// Events were lost for good, maybe the echo of any line that was sent.
  void doubt();
  /// What was sent, and is not doubtful, has not arrived: it is to be sent again.
  void resend();

  /// The lines to be sent now; they count as sent.
  std::vector<line> take_waiting();
  /// The lines of which nobody will know; they are forgotten here.
  std::vector<line> take_doubtful();

  std::size_t count(enum line::state in) const;
  std::deque<line> const& lines() const { return lines_; }

 private:
  std::string id_prefix_;
  std::uint64_t next_ = 1;
  std::deque<line> lines_;
};

}  // namespace chorus
