#pragma once
// The check that every receiver gets every message exactly once and in the same order, or a gap that it was told of.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "bench/stamp.hpp"

namespace chorus::bench {

/// The order that all receivers in a room must agree on: that in which the first of them got the messages. Within it
/// each sender's messages come in the order in which they were sent, without a hole. Outlives its witnesses.
class ledger {
 public:
  /// The room has `senders` senders, which have consecutive numbers.
  ledger(std::uint32_t first_sender, std::size_t senders) : first_sender_(first_sender), positions_(senders) {}

  /// The first message of all is the first sender's.
  message_id opening() const { return {first_sender_, 0}; }
  bool has(std::uint32_t sender) const { return index_of(sender) < positions_.size(); }
  std::size_t size() const { return order_.size(); }
  message_id at(std::size_t position) const { return order_[position]; }
  /// How many of a sender's messages somebody has got.
  std::size_t heard_of(std::uint32_t sender) const { return positions_[index_of(sender)].size(); }
  /// The sender's first message that nobody has got yet.
  message_id next_of(std::uint32_t sender) const { return {sender, static_cast<std::uint32_t>(heard_of(sender))}; }
  /// Nothing if nobody has got that message yet.
  std::optional<std::size_t> position_of(message_id id) const;

 private:
  friend class witness;

  /// Greater than any index for a sender of an earlier room.
  std::size_t index_of(std::uint32_t sender) const { return std::size_t{sender} - first_sender_; }
  /// `id` is the next message of its sender, who is one of the room's.
  void append(message_id id);

  std::uint32_t first_sender_;
  std::vector<message_id> order_;
  std::vector<std::vector<std::size_t>> positions_;  ///< of each sender's messages
};

/// One receiver's way through the ledger. It may begin anywhere; from there on it must follow.
class witness {
 public:
  explicit witness(ledger& all) : ledger_(all) {}

  /// The receiver got this message. Throws `check_failed` if another one was due, or it was said in another room.
  void heard(message_id id);
  /// The receiver was told that it will not get the next `missed` messages.
  void skipped(std::uint64_t missed);

  /// Checks what was heard before others made known where it belongs. Throws like `heard`.
  void settle();
  /// True if the receiver has got, or was told that it missed, everything in the ledger.
  bool complete() const;
  /// Who missed what, for people: the first message that has not come.
  std::string due() const;

 private:
  struct hearing {
    std::uint64_t skipped;  ///< messages just before this one
    message_id id;
  };

  void check(message_id id);

  ledger& ledger_;
  std::optional<std::size_t> position_;  ///< of the next message; nothing before the first one is placed
  std::uint64_t skipping_ = 0;           ///< messages that were missed since the last one heard
  std::deque<hearing> unsettled_;        ///< ahead of the ledger, or of unknown place
};

}  // namespace chorus::bench
