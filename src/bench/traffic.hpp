#pragma once
// What is said in a run, who has heard it, and how long that took. No sockets.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/event_order.hpp"
#include "bench/latencies.hpp"
#include "bench/ledger.hpp"
#include "bench/seating.hpp"
#include "bench/send_times.hpp"

namespace chorus::bench {

/// One who hears.
struct receiver {
  explicit receiver(ledger& room) : progress(room) {}

  witness progress;
  event_order events;   ///< of the JSON dialect only
  bool counted = true;  ///< its deliveries are what is waited for and measured; of others only the order is checked
};

/// What came of the messages of a while.
struct tally {
  std::uint64_t delivered = 0;
  std::uint64_t missed = 0;  ///< as gap notices said
  latencies times;

  tally& operator+=(tally const& others);
};

/// One for each room.
std::vector<ledger> ledgers_of(seating const& who_is_where);

/// Counts and times deliveries between `begin` and the moment when every counted receiver has all that was said since.
/// With several threads, each has its own for its own senders and receivers; they share the send times, and nothing
/// else.
class traffic {
 public:
  /// What is said and heard is plain text, or JSON.
  traffic(seating const& who_is_where, send_times& sent, bool json_dialect = false);

  ledger& room(std::size_t index) { return rooms_[index]; }

  /// Counts from zero, up to so many deliveries.
  void begin(std::uint64_t deliveries);
  /// What the sender, which is one of this thread's, sends for its next message, a text of `size` bytes. Its latency
  /// counts from `at`.
  std::string say(std::size_t sender, std::size_t size, clock::time_point at);

  /// `who`, which is there until there is no more traffic, received a text at `now`. Returns the message that it was,
  /// if it was one of ours. Throws `check_failed`.
  std::optional<message_id> heard(receiver& who, std::string_view text, clock::time_point now);

  std::uint64_t expected() const { return expected_; }
  std::uint64_t delivered() const { return counted_.delivered; }
  std::uint64_t missed() const { return counted_.missed; }
  /// A message that was said here and that nobody at all has heard.
  std::optional<message_id> unheard() const;
  bool complete() const { return delivered() + missed() >= expected_; }
  latencies const& times() const { return counted_.times; }
  tally const& counted() const { return counted_; }

  /// Learns from the ledgers of all threads together what others have heard, and tells them. Throws `check_failed`
  /// if the order is not the same.
  void agree_with(std::vector<ledger>& common);

 private:
  std::optional<message_id> heard_json(receiver& who, std::string_view text, clock::time_point now);
  void deliver(receiver& who, message_id id, std::uint64_t seq, clock::time_point now);
  template <class Step>
  void advance(receiver& who, Step step);
  void settle_those_ahead();

  seating seating_;
  bool json_dialect_;
  std::vector<ledger> rooms_;
  send_times& sent_;
  std::vector<std::uint32_t> said_;  ///< by each sender, how many messages
  std::vector<receiver*> ahead_;     ///< who was told of a gap that others may not have reached
  std::uint64_t expected_ = 0;
  tally counted_;
};

}  // namespace chorus::bench
