#pragma once
// The bounded queue between everyone who has something for a peer and the write loop that sends what has to wait.

#include <boost/asio/buffer.hpp>
#include <boost/container/deque.hpp>
#include <boost/container/static_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <exception>

#include "support/packet.hpp"
#include "support/signal_channel.hpp"

namespace chorus {

/// A FIFO of shared packets for one peer. Producers never wait: what a slow peer cannot take in time is dropped, and
/// announced.
///
/// - While nothing waits, a push is written to the socket at once. Only what the socket does not take is queued, and
///   only then a write loop is started, which ends when nothing waits any more. So it costs nothing for peers that keep
///   up.
/// - Packets that carry events count against `limit`. When the next one does not fit, the event packets that wait are
///   dropped and the channel has a *gap*: further events are dropped too, until the write loop has sent what it had
///   begun. Then the peer gets a notice of the whole gap, and live traffic again. A packet always fits when nothing
///   waits.
/// - Packets without events (greetings, control frames) are exempt; each has a producer that is bounded by other means.
///
/// Owned by a session, used on its executor's thread only, destroyed after its write loop has ended.
class outbound_channel {
 public:
  /// What the channel needs of the session that owns it.
  struct sink {
    /// Writes without blocking; returns how many bytes the socket took, 0 if it would block or failed.
    virtual std::size_t try_write(net::const_buffer bytes) noexcept = 0;
    /// Starts the write loop: from now on until the channel is empty, it writes what `gather` returns and tells
    /// `consume`. Called when something begins to wait, and not again before the channel was empty.
    virtual void start_writing() = 0;
    /// Encodes the notice for events that this peer will not get.
    virtual packet_ptr gap_notice(event_range missed) = 0;
    /// A packet could not be queued: this peer's connection is to end, and nobody else's.
    virtual void failed(std::exception_ptr why) noexcept = 0;

   protected:
    ~sink() = default;
  };

  /// Asio sends at most 64 buffers with one system call.
  static constexpr std::size_t max_gather = 64;
  using gather_list = boost::container::static_vector<net::const_buffer, max_gather>;

  outbound_channel(executor ex, std::size_t limit_bytes, sink& to) : sink_(to), limit_(limit_bytes), flushed_(ex, 1) {}

  /// For producers: never blocks, and the packet may be dropped (see above). Ignored after `seal`.
  void push(packet_ptr const& p) noexcept;

  /// Pushes the last packet, a close frame: whatever is pushed later is ignored (RFC 6455 section 5.5.1).
  void seal(packet_ptr const& last) noexcept;
  bool sealed() const { return state_ != state::open; }

  /// Completes with `void(error_code)` when the last packet that waits now, which must carry no events, has gone to the
  /// socket; with `operation_aborted` if the channel is closed first. One at a time.
  template <net::completion_token_for<void(error_code)> Token>
  auto async_flush(Token&& token) {
    if (queue_.empty()) {
      flushed_.try_send(state_ == state::closed ? error_code(net::error::operation_aborted) : error_code());
    } else {
      queue_.back().flush = true;
    }
    return flushed_.async_receive(std::forward<Token>(token));
  }

  /// For the write loop: what waits, in order. The bytes stay alive until `consume`.
  gather_list gather();
  /// For the write loop: the socket took `bytes` of what `gather` returned.
  void consume(std::size_t bytes);

  /// Drops what waits; what is being written goes with the next `consume`. If the peer has not been sent its last
  /// packet yet and no frame can be cut in half, `last_words` are tried once.
  void close(packet_ptr const& last_words = nullptr);

  bool empty() const { return queue_.empty(); }
  std::size_t limit() const { return limit_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  /// How many bytes the socket has taken since the beginning.
  std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  enum class state : std::uint8_t { open, sealed, closed };

  struct entry {
    packet_ptr packet;
    bool flush = false;  ///< a flush completes with this entry
  };

  void take(packet_ptr const& p, state then) noexcept;
  void send_or_queue(packet_ptr const& p);
  void enqueue(packet_ptr const& p);
  void pop_front();
  void drop_all_but_in_flight();
  void miss(event_range events);
  void announce_gap();

  // First what a push looks at when nothing waits: with a thousand peers each cache line that it touches is a miss.
  sink& sink_;
  std::uint64_t sent_bytes_ = 0;
  state state_ = state::open;
  boost::container::deque<entry> queue_;
  std::size_t limit_;
  std::size_t front_offset_ = 0;   ///< bytes of the first packet that are sent
  std::size_t in_flight_ = 0;      ///< packets that a pending write refers to
  std::size_t waiting_bytes_ = 0;  ///< size of all packets in the queue
  event_range missed_;
  signal_channel flushed_;
};

}  // namespace chorus
