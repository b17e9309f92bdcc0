#pragma once
// Everyone who is connected in a run.

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "bench/load_connection.hpp"
#include "bench/traffic.hpp"

namespace chorus::bench {

class crowd;

/// One who is connected: hears, and may speak.
class participant final : public receiver, private load_connection::handler {
 public:
  participant(crowd& in, std::size_t index);

  std::size_t index() const { return index_; }
  load_connection& line() { return connection_; }
  bool is_open() const { return open_; }
  bool gone() const { return gone_; }

  std::optional<std::size_t> sender;  ///< which one, if it speaks
  bool may_go = false;                ///< the connection may end without failing the run

 private:
  friend class crowd;

  void on_text(std::string_view text, clock::time_point now) override;

  crowd& crowd_;
  std::size_t index_;
  load_connection connection_;
  bool open_ = false;
  bool gone_ = false;
};

/// Who has not got what somebody has got, or else what nobody has got.
struct stragglers {
  std::size_t count = 0;
  std::string named;  ///< the first few of them, and what they lack
  std::optional<message_id> unheard;

  /// For people; empty if everyone has everything.
  std::string describe() const;
};

/// The participants of a run who live on one thread, and what they say and hear. Used on its executor's thread;
/// `co_await disperse()` before it is destroyed.
///
/// The first failure of anyone is the run's: whoever waits for something gets it as a `check_failed`.
class crowd {
 public:
  /// There are so many senders in each room, here and on other threads.
  crowd(executor ex, std::vector<target> rooms, std::size_t senders, send_times& sent);

  executor get_executor() const { return executor_; }
  traffic& talk() { return talk_; }
  std::deque<participant>& participants() { return participants_; }
  seating const& seats() const { return seating_; }
  latencies const& handshakes() const { return handshakes_; }
  /// The next handshake is the first that counts.
  void forget_handshakes() { handshakes_ = {}; }

  /// Connects participants with these indices, at most `at_once` at a time. Throws `check_failed`, also at the
  /// deadline.
  awaitable<void> gather(block seats, std::size_t at_once, clock::time_point deadline);
  /// Starts to connect one more.
  participant& add();
  /// Starts a coroutine that goes on beside the run, until `disperse` cancels it.
  void accompany(awaitable<void> task) { tasks_.spawn(std::move(task)); }
  /// Closes all connections, and returns when that is done. Throws `check_failed`, also at the deadline.
  awaitable<void> dismiss(clock::time_point deadline);
  /// Everyone says goodbye at once; returns when the server has let them all go. Throws `check_failed`, also at the
  /// deadline.
  awaitable<void> leave(clock::time_point deadline);
  /// Makes senders of some participants in each room, if they are here. There are so many participants on all threads,
  /// and those who are here were gathered together.
  void appoint_senders(std::size_t participants);
  /// Whether that sender is here.
  bool has(std::size_t sender) const { return senders_[sender] != nullptr; }
  /// The receive buffer of the participant with that index, which is about to connect; see `load_connection::open`.
  std::function<std::optional<int>(std::size_t index)> receive_buffer;

  /// Begins to count: all senders together, wherever they are, are going to say so many messages.
  void begin(std::size_t messages);
  /// Sends the next message of a sender who is here, of `size` bytes. Its latency counts from `at`.
  void say(std::size_t sender, std::size_t size, clock::time_point at);
  /// Called when a sender has heard a message of its own, until `begin` begins anew.
  std::function<void(std::size_t sender)> on_echo;

  using condition = std::function<bool()>;
  /// Returns true when the condition holds, false at the deadline. The condition is asked when the traffic is
  /// complete, a connection begins or ends, or somebody hears who is not counted. Throws `check_failed`.
  awaitable<bool> wait_for(condition const& met, clock::time_point deadline);
  /// Whether all participants have got what somebody has got, and somebody what was said here. Throws `check_failed`.
  bool agrees();
  /// Adds counted participants that are behind. Throws `check_failed`.
  void find(stragglers& all);
  /// Whoever waits for something gets this as a `check_failed`, if it is the first failure.
  void fail(std::string const& failure);
  void throw_if_failed() const;

  /// Closes all connections, and returns when they are closed.
  awaitable<void> disperse();

 private:
  friend class participant;

  awaitable<void> open_several();
  awaitable<void> open_and_listen(participant& newcomer);
  awaitable<void> open(participant& newcomer);
  awaitable<void> listen(participant& who);
  void heard(participant& who, std::string_view text, clock::time_point now);

  executor executor_;
  std::vector<target> const rooms_;
  seating seating_;
  traffic talk_;
  latencies handshakes_;
  std::size_t next_index_ = 0;
  std::size_t to_open_ = 0;  ///< connections that `gather` has not begun to open
  std::size_t opening_ = 0;  ///< handshakes that are under way
  std::size_t present_ = 0;  ///< those who listen
  std::string failure_;
  bool dispersing_ = false;
  auto_reset_event changed_;
  task_group tasks_;
  std::deque<participant> participants_;
  std::vector<participant*> senders_;
};

}  // namespace chorus::bench
