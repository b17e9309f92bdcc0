// The examples of docs/patterns.md, which quotes them: each rule that the code lives by, as small as it can be.

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "run.hpp"
#include "support/auto_reset_event.hpp"
#include "support/descriptor.hpp"
#include "support/packet.hpp"
#include "support/slices.hpp"
#include "support/task_group.hpp"

namespace chorus::test {

namespace {

using namespace std::chrono_literals;
using local_socket = net::basic_stream_socket<net::local::stream_protocol, executor>;

// A coroutine that has not begun has one owner, as a unique_ptr has.
static_assert(!std::is_copy_constructible_v<awaitable<void>>);

/// Right: the tasks belong to what they use.
class choir {
 public:
  explicit choir(executor ex) : executor_(ex), singers_(ex) {}

  void add(std::string word) { singers_.spawn(sing(std::move(word))); }
  awaitable<void> join() { return singers_.join(); }
  std::vector<std::string> const& heard() const { return heard_; }

 private:
  awaitable<void> sing(std::string word) {
    co_await let_others_run(executor_);
    heard_.push_back(std::move(word));
  }

  executor executor_;
  std::vector<std::string> heard_;
  task_group singers_;
};

/// Right: each task holds a share.
class duet : public std::enable_shared_from_this<duet> {
 public:
  explicit duet(executor ex) : first_(ex), second_(ex) {}

  void begin(task_group& tasks) {
    tasks.spawn(wait_for(first_, shared_from_this()));
    tasks.spawn(wait_for(second_, shared_from_this()));
  }
  void end_first() { first_.set(); }
  void end_second() { second_.set(); }

 private:
  awaitable<void> wait_for(auto_reset_event& end, std::shared_ptr<duet>) { co_await end.wait(); }

  auto_reset_event first_;
  auto_reset_event second_;
};

// An awaitable that has forgotten which executor it belongs to cannot be awaited.
template <class Executor>
concept can_be_awaited = requires(std::coroutine_traits<awaitable<void>>::promise_type here,
                                  net::awaitable<void, Executor> other) { here.await_transform(std::move(other)); };
static_assert(can_be_awaited<executor>);
static_assert(!can_be_awaited<net::any_io_executor>);

/// Right: a peer that goes is a value, and what is done about it may wait.
awaitable<void> count_bytes(local_socket& from, std::size_t& count, bool& said_farewell) {
  std::string part(64, ' ');
  for (;;) {
    auto const [ec, bytes] = co_await from.async_read_some(net::buffer(part), nothrow);
    if (ec) break;
    count += bytes;
  }
  co_await let_others_run(from.get_executor());
  said_farewell = true;
}

/// Right: one reader, and what it waits for is checked again whenever it wakes.
class inbox {
 public:
  explicit inbox(executor ex) : arrived_(ex) {}

  void push(std::string line) {
    lines_.push_back(std::move(line));
    arrived_.set();
  }

  awaitable<std::string> next() {
    while (lines_.empty()) co_await arrived_.wait();
    auto line = std::move(lines_.front());
    lines_.pop_front();
    co_return line;
  }

 private:
  std::deque<std::string> lines_;
  auto_reset_event arrived_;
};

/// Right: it waits in one place, and has nothing to do when it is cancelled there.
awaitable<void> beat(executor ex, clock::duration period, int& beats) {
  timer rest(ex);
  for (;;) {
    rest.expires_after(period);
    co_await rest.async_wait(use_awaitable);
    ++beats;
  }
}

/// Wrong: after a signal the next `co_await` throws, though this one did not.
awaitable<void> say_farewell_after_a_signal(executor ex, bool& woke, bool& said_farewell) {
  timer rest(ex, 1h);
  co_await rest.async_wait(nothrow);
  woke = true;
  co_await let_others_run(ex);
  said_farewell = true;
}

/// Right: the answer and the end of patience set the same event.
class awaited_answer {
 public:
  awaited_answer(executor ex, clock::time_point deadline) : deadline_(deadline), changed_(ex) {}

  void arrive(std::string what) {
    answer_ = std::move(what);
    changed_.set();
  }

  void tick(clock::time_point now) {
    if (now < deadline_) return;
    is_late_ = true;
    changed_.set();
  }

  awaitable<std::optional<std::string>> wait() {
    while (!answer_ && !is_late_) co_await changed_.wait();
    co_return std::move(answer_);
  }

 private:
  clock::time_point deadline_;
  bool is_late_ = false;
  std::optional<std::string> answer_;
  auto_reset_event changed_;
};

/// Right: it has no clock, no timer and no socket.
class silence {
 public:
  silence(clock::duration most, clock::time_point now) : most_(most), heard_at_(now) {}

  void heard(clock::time_point now) { heard_at_ = now; }
  bool is_too_long(clock::time_point now) const { return now - heard_at_ > most_; }

 private:
  clock::duration most_;
  clock::time_point heard_at_;
};

/// Right: what is moved into a post belongs to the other thread from then on.
void hand_over(executor there, std::vector<packet_ptr>& to, packet_ptr what) {
  net::post(there, [&to, moved = std::move(what)]() mutable { to.push_back(std::move(moved)); });
}

// What is shared does not change, and what changes is not shared.
template <class Pointer>
concept can_be_changed = requires(Pointer p) { p->bytes.clear(); };
static_assert(!can_be_changed<packet_ptr> && can_be_changed<std::shared_ptr<packet>>);
static_assert(!std::is_copy_constructible_v<descriptor>);

struct two_tasks {
  net::io_context io;
  executor ex = io.get_executor();
  task_group tasks{ex};

  void join() { start(io, tasks.join()); }
  void cancel() {
    poll(io);
    tasks.cancel();
    join();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(patterns, two_tasks)

BOOST_AUTO_TEST_CASE(an_owner_awaits_its_tasks) {
  choir owner(ex);
  owner.add("alto");
  owner.add("bass");
  BOOST_TEST(owner.heard().empty());
  start(io, owner.join());
  BOOST_TEST(owner.heard().size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_object_lives_until_its_last_task_has_ended) {
  auto owned = std::make_shared<duet>(ex);
  std::weak_ptr<duet> const seen = owned;
  owned->begin(tasks);
  owned.reset();
  seen.lock()->end_first();
  poll(io);
  BOOST_REQUIRE(!seen.expired());
  seen.lock()->end_second();
  join();
  BOOST_TEST(seen.expired());
}

BOOST_AUTO_TEST_CASE(what_is_deferred_begins_when_it_is_awaited) {
  auto done = false;
  auto later = net::post(ex, net::deferred([&done] {
                           done = true;
                           return net::deferred.values();
                         }));
  poll(io);
  BOOST_TEST(!done);
  std::move(later)([] {});
  poll(io);
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(a_wake_up_call_before_the_wait_is_not_lost) {
  inbox lines(ex);
  std::string first;
  std::string second;
  auto const read = [](inbox& from, std::string& one, std::string& two) -> awaitable<void> {
    one = co_await from.next();
    two = co_await from.next();
  };
  lines.push("one");
  start(io, read(lines, first, second));
  BOOST_TEST(first == "one");
  BOOST_TEST(second == "");
  lines.push("two");
  poll(io);
  BOOST_TEST(second == "two");
}

BOOST_AUTO_TEST_CASE(what_ends_by_its_socket_can_wait_afterwards) {
  local_socket here(ex);
  local_socket there(ex);
  net::local::connect_pair(here, there);
  std::size_t count = 0;
  auto said_farewell = false;
  tasks.spawn(count_bytes(here, count, said_farewell));
  there.write_some(net::buffer("hello", 5));
  poll(io);
  BOOST_TEST(!said_farewell);
  here.close();
  join();
  BOOST_TEST(count == 5U);
  BOOST_TEST(said_farewell);
}

BOOST_AUTO_TEST_CASE(what_ends_by_a_signal_cannot) {
  auto beats = 0;
  auto woke = false;
  auto said_farewell = false;
  tasks.spawn(beat(ex, 1h, beats));
  tasks.spawn(say_farewell_after_a_signal(ex, woke, said_farewell));
  cancel();
  BOOST_TEST(tasks.size() == 0U);
  BOOST_TEST(beats == 0);
  BOOST_TEST(woke);
  BOOST_TEST(!said_farewell);
}

BOOST_AUTO_TEST_CASE(an_answer_or_the_end_of_patience) {
  clock::time_point const begin{};
  awaited_answer first(ex, begin + 10s);
  awaited_answer second(ex, begin + 10s);
  std::vector<std::optional<std::string>> got;
  auto const wait = [](awaited_answer& on, auto& to) -> awaitable<void> { to.push_back(co_await on.wait()); };
  start(io, wait(first, got));
  start(io, wait(second, got));
  first.tick(begin + 9s);
  first.arrive("yes");
  second.tick(begin + 9s);
  poll(io);
  BOOST_TEST(got.size() == 1U);
  second.tick(begin + 10s);
  poll(io);
  BOOST_REQUIRE(got.size() == 2U);
  BOOST_TEST(got[0].value() == "yes");
  BOOST_TEST(!got[1].has_value());
}

BOOST_AUTO_TEST_CASE(time_passes_as_the_test_likes) {
  clock::time_point const begin{};
  silence watched(15s, begin);
  BOOST_TEST(!watched.is_too_long(begin + 15s));
  BOOST_TEST(watched.is_too_long(begin + 16s));
  watched.heard(begin + 16s);
  BOOST_TEST(!watched.is_too_long(begin + 31s));
}

BOOST_AUTO_TEST_CASE(what_crosses_arrives_in_the_turn_of_the_other_loop) {
  net::io_context there;
  std::vector<packet_ptr> arrived;
  hand_over(there.get_executor(), arrived, make_packet("hello"));
  BOOST_TEST(arrived.empty());
  std::thread([&there] { there.run(); }).join();
  BOOST_REQUIRE(arrived.size() == 1U);
  BOOST_TEST(arrived.front()->bytes == "hello");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
