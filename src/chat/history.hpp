#pragma once
// The tail of a room's log, and what the tails of all rooms take together.

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "chat/encoded_batch.hpp"
#include "chat/room_settings.hpp"

namespace chorus {

class history;

/// A batch of the past; in its room's history and, with those of all rooms, in the order in which they became past.
struct past_batch : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  past_batch(encoded_batch&& of, history& in) : what(std::move(of)), room(in) {}

  encoded_batch what;
  history& room;
  std::size_t size = 0;  ///< that it is counted with
};

/// Bounds the memory of all histories on a shard together. When it does not suffice, whoever can give some back is
/// asked, until there is nothing more to give; then the oldest batches are dropped, of whatever room.
///
/// Owned by the shard's part of the rooms, outlives all histories; executor's thread only.
class history_memory {
 public:
  /// Is to call `relieved`, not at once.
  using reliever = std::function<void()>;

  /// In bytes; 0 is no limit.
  history_memory(std::size_t limit, reliever relieve) : limit_(limit), relieve_(std::move(relieve)) {}

  /// Before there is any history.
  void limit_to(std::size_t bytes) { limit_ = bytes; }

  /// Memory was given back, or there is none to give.
  void relieved(bool was_given);

  std::size_t used() const { return used_; }

 private:
  friend class history;

  void add(past_batch& newest);
  void resize(past_batch& grown);
  void subtract(past_batch const& gone) { used_ -= gone.size; }
  void keep_to_limit();

  std::size_t limit_;
  reliever relieve_;
  bool is_asked_ = false;
  std::size_t used_ = 0;
  boost::intrusive::list<past_batch, boost::intrusive::constant_time_size<false>> oldest_first_;
};

/// The last batches of one room, encoded at most once per dialect for all who get them. Of events that are not there
/// any more it knows nothing; what was not announced it forgets at once.
///
/// Owned by the room's broadcaster; executor's thread only.
class history {
 public:
  history(room_settings const& options, history_memory& all) : options_(options), all_(all) {}
  history(history const&) = delete;
  history& operator=(history const&) = delete;
  ~history();

  /// From that event on nothing is missing that was announced.
  std::uint64_t first() const { return last_gone_ + 1; }

  /// `newest` follows the last batch.
  void extend(encoded_batch&& newest);

  /// The event before the `messages`th last message, or before the first that is there; nothing where none is asked for
  /// or there.
  std::optional<std::uint64_t> before_last(std::uint64_t messages) const;

  struct tail {
    std::vector<packet_ptr> packets = {};  ///< oldest first
    event_range too_much = {};             ///< events before them that exceed the limit
  };
  /// All events after `seq`, in packets of at most `limit` bytes together.
  tail after(std::uint64_t seq, dialect_id dialect, std::size_t limit);

  struct excerpt {
    std::string frames = {};
    std::uint64_t last = 0;    ///< the last event that is covered
    std::uint64_t events = 0;  ///< how many are in the frames
  };
  /// The announced ones of the events from `from` to `to`, which are not before `first`, until the frames have `limit`
  /// bytes.
  excerpt between(std::uint64_t from, std::uint64_t to, dialect const& in, std::size_t limit) const;

 private:
  friend class history_memory;

  void drop_oldest();

  room_settings const& options_;
  history_memory& all_;
  std::list<past_batch> batches_;
  std::uint64_t last_gone_ = 0;  ///< the last event of the batches that were dropped
  std::size_t size_ = 0;         ///< of all batches, in bytes
  std::uint64_t messages_ = 0;   ///< in all batches
};

}  // namespace chorus
