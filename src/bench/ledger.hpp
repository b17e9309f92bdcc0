#pragma once
// The check that every receiver gets every message exactly once and in the same order, or a gap that it was told of.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "bench/stamp.hpp"

namespace chorus::bench {

/// The order that all receivers in a room must agree on: that in which the first of them got the messages. Within it
/// each sender's messages come in the order in which they were sent, without a hole. Each has the same `seq` for all,
/// or 0 where there is none, as in the text dialect. Outlives its witnesses.
class ledger {
 public:
  /// The room has `senders` senders, which have consecutive numbers.
  ledger(std::uint32_t first_sender, std::size_t senders) : first_sender_(first_sender), positions_(senders) {}

  /// The first message of all is the first sender's.
  message_id opening() const { return {first_sender_, 0}; }
  bool has(std::uint32_t sender) const { return index_of(sender) < positions_.size(); }
  std::size_t size() const { return order_.size(); }
  message_id at(std::size_t position) const { return order_[position].id; }
  std::uint64_t seq_at(std::size_t position) const { return order_[position].seq; }
  std::uint64_t last_seq() const { return order_.empty() ? 0 : order_.back().seq; }
  /// How many of a sender's messages somebody has got.
  std::size_t heard_of(std::uint32_t sender) const { return positions_[index_of(sender)].size(); }
  /// The sender's first message that nobody has got yet.
  message_id next_of(std::uint32_t sender) const { return {sender, static_cast<std::uint32_t>(heard_of(sender))}; }
  /// Nothing if nobody has got that message yet.
  std::optional<std::size_t> position_of(message_id id) const;

  /// Tells each what the other knows: where a room has receivers on several threads, each thread has a ledger, and all
  /// agree with the same `common`. Throws `check_failed` if the order is not the same.
  void agree_with(ledger& common);

 private:
  friend class witness;

  /// Greater than any index for a sender of an earlier room.
  std::size_t index_of(std::uint32_t sender) const { return std::size_t{sender} - first_sender_; }
  /// `id` is the next message of its sender, who is one of the room's.
  void append(message_id id, std::uint64_t seq);

  struct entry {
    message_id id;
    std::uint64_t seq;
  };

  static void check_same(entry const& here, entry const& there);

  std::uint32_t first_sender_;
  std::vector<entry> order_;
  std::vector<std::vector<std::size_t>> positions_;  ///< of each sender's messages
  std::size_t agreed_ = 0;                           ///< up to here, `agree_with` found or made it the same
};

/// One receiver's way through the ledger. It may begin anywhere; from there on it must follow.
class witness {
 public:
  explicit witness(ledger& all) : ledger_(all) {}

  /// The receiver got this message. Throws `check_failed` if another one was due, or it was said in another room.
  void heard(message_id id, std::uint64_t seq = 0);
  /// The receiver was told that it will not get the next `count` messages.
  void skipped(std::uint64_t count);
  /// The receiver was told that it will not get what comes next, up to that `seq`.
  void skipped_through(std::uint64_t seq);
  /// How many messages it was told that it will not get. What is missing up to a `seq` counts when somebody has got it.
  std::uint64_t missed() const { return missed_; }

  /// Checks what was heard, and counts what was missed, before others made known where it belongs. Throws like `heard`.
  void settle();
  /// True if there is such that `settle` has left for later.
  bool is_ahead() const { return !unsettled_.empty() || is_ahead_with(gap_end_); }
  /// True if the receiver has got, or was told that it missed, everything in the ledger.
  bool complete() const;
  /// Who missed what, for people: the first message that has not come.
  std::string due() const;

 private:
  struct hearing {
    std::uint64_t skipped;  ///< messages just before this one
    std::uint64_t gap_end;  ///< or all before that `seq`
    message_id id;
    std::uint64_t seq;
  };

  void pass(std::uint64_t gap_end);
  /// Others may not have got all yet that comes before the end of the gap.
  bool is_ahead_with(std::uint64_t gap_end) const { return gap_end > ledger_.last_seq() + 1; }
  void check(hearing const& next);

  ledger& ledger_;
  std::optional<std::size_t> position_;  ///< of the next message; nothing before the first one is placed
  std::uint64_t skipping_ = 0;           ///< messages that were missed since the last one heard
  std::uint64_t gap_end_ = 0;            ///< or all before that `seq`
  std::uint64_t missed_ = 0;
  std::deque<hearing> unsettled_;  ///< ahead of the ledger, or of unknown place
};

}  // namespace chorus::bench
