#pragma once
// What a member was sent, read against what has happened.

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "log_record.hpp"
#include "protocol/join_request.hpp"

namespace chorus::test {

/// What a member was sent is not what has happened.
struct wrong_view : std::runtime_error {
  using runtime_error::runtime_error;
};

/// How a member came to its room, and what it was.
struct visit {
  member_id who;
  join_request wishes;
  bool has_left = false;
  bool takes_all = true;           ///< it is never too slow, and its limit holds everything
  std::vector<replay> asked = {};  ///< for replays, in order
};

/// Reads plain dialect: a greeting, then one contiguous piece of the log save for gaps that are named, and answers in
/// their places. Throws `wrong_view`.
class plain_view {
 public:
  /// `keeps_all`: the room's history is unbounded.
  plain_view(log_record const& log, visit const& of, bool keeps_all) : log_(log), visit_(of), keeps_all_(keeps_all) {}

  void read(std::string_view lines);
  /// All that has happened has been heard.
  void require_end() const;

  /// The last event that it was sent, or sent past.
  std::uint64_t at() const { return at_; }
  std::vector<replay> const& gaps() const { return gaps_; }
  /// Events that it was sent at some time.
  std::set<std::uint64_t> const& heard() const { return heard_; }

 private:
  std::string_view take_line();
  void take(std::string_view expected, std::string_view what);
  void read_next();
  bool is_past(std::string_view line) const;
  void read_greeting();
  void read_event();
  void read_gap(replay missing);
  void read_replay();
  bool read_own_rename(std::uint64_t seq);
  void move_to(std::uint64_t seq);
  void require_answers(std::uint64_t seq) const;

  log_record const& log_;
  visit const& visit_;
  bool keeps_all_;
  std::string_view rest_;
  bool is_cut_ = false;  ///< the socket has not taken all of it
  std::uint64_t at_ = 0;
  bool must_miss_ = false;  ///< a gap is to come at once
  std::vector<replay> gaps_;
  std::set<std::uint64_t> heard_;
  std::uint64_t own_rename_ = 0;       ///< the last one that only it was told of
  std::vector<std::string> unplaced_;  ///< answers whose place is between the last event and the next
  std::size_t replays_ = 0;
};

/// Reads terse dialect: a greeting, then all messages save for those that are counted.
void read_terse_view(std::string_view lines, log_record const& log, visit const& of, bool keeps_all);

}  // namespace chorus::test
