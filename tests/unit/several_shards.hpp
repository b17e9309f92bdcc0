#pragma once
// The shards of a server in one thread, and those who come to their rooms, without a network.

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "chat/directory.hpp"
#include "chat/shard_rooms.hpp"
#include "running_room.hpp"

namespace chorus::test {

/// Each shard has an `io_context` of its own, as a thread of the server has. Who has the next turn a seeded generator
/// chooses: so what crosses comes any number of turns later, and always the same number.
class several_shards {
 public:
  static constexpr std::uint64_t epoch = running_room::epoch;
  using log_factory = shard_rooms::log_factory;

  /// Of a shard that sleeps nobody has a turn.
  std::optional<shard_id> asleep;
  plain_dialect plain;
  terse_dialect terse;

  explicit several_shards(std::size_t count, room_settings const& settings = {}, unsigned seed = 0,
                          log_factory const& make_log = in_memory)
      : options_(settings), random_(seed), loops_(count) {
    member_id which{1, 0, 0};
    for (auto& loop : loops_) {
      rooms_.emplace_back(loop.get_executor(), which, options_, dialect_table{terse, plain}, make_log,
                          std::rethrow_exception);
      ++which.shard;
    }
    // Unless there is a directory nobody has memory to spare.
    auto const everyone = all();
    for (auto* const each : everyone)
      each->know(everyone, [each] { net::post(each->get_executor(), [each] { each->relieved(false); }); });
  }
  several_shards(several_shards const&) = delete;
  several_shards& operator=(several_shards const&) = delete;
  ~several_shards() { end(); }

  std::size_t size() const { return loops_.size(); }
  net::io_context& io(shard_id at) { return loops_[at]; }
  shard_rooms& operator[](shard_id at) { return rooms_[at]; }
  std::vector<shard_rooms*> all() {
    std::vector<shard_rooms*> found;
    for (auto& each : rooms_) found.push_back(&each);
    return found;
  }

  /// False if nobody is ready there.
  bool turn(shard_id at) {
    io(at).restart();
    return io(at).poll_one() != 0;
  }
  /// A turn somewhere; false if nobody is ready anywhere.
  bool any_turn() {
    auto const first = random_() % size();
    for (std::size_t i = 0; i != size(); ++i) {
      auto const at = static_cast<shard_id>((first + i) % size());
      if (at != asleep && turn(at)) return true;
    }
    return false;
  }
  /// Until nobody is ready anywhere.
  void settle() {
    while (any_turn()) continue;
  }

  /// A room without a directory; it is always the same one.
  room_address lobby(shard_id home = 0) const { return {{"lobby", epoch}, home}; }
  room_address create_lobby(shard_id home = 0) {
    rooms_[home].create(lobby(home).which);
    return lobby(home);
  }
  audience& lobby_on(shard_id at, shard_id home = 0) { return rooms_[at].audience_of(lobby(home)); }

  /// What was said is posted to the rooms; that it is told to everyone `done` says later.
  void flush() {
    for (auto& each : rooms_) each.flush();
  }
  void catch_up(std::size_t& done) {
    for (shard_id at = 0; at != size(); ++at) start_later(io(at), catch_up(rooms_[at], done));
  }
  void close() {
    for (auto& each : rooms_) each.close_branches();
    for (auto& each : rooms_) each.close_rooms();
  }

  /// All coroutines have ended afterwards.
  void end() {
    asleep.reset();
    close();
    std::size_t joined = 0;
    for (shard_id at = 0; at != size(); ++at) start_later(io(at), join(rooms_[at], joined));
    settle();
    BOOST_TEST(joined == size());
  }

  static std::unique_ptr<event_log> in_memory(executor home, std::string const&) {
    return std::make_unique<memory_log>(home);
  }

 private:
  static awaitable<void> join(shard_rooms& all, std::size_t& joined) {
    co_await all.join();
    ++joined;
  }
  static awaitable<void> catch_up(shard_rooms& with, std::size_t& done) {
    co_await with.caught_up();
    ++done;
  }

  room_settings options_;
  std::mt19937 random_;
  std::deque<net::io_context> loops_;
  std::deque<shard_rooms> rooms_;
};

/// With a directory of their rooms.
struct rooms_of_a_server {
  std::string logs;  ///< of which rooms they were made
  std::function<std::unique_ptr<event_log>(executor)> make_log = running_room::in_memory;
  room_settings options;
  std::optional<several_shards> shards;
  std::optional<directory> rooms;

  explicit rooms_of_a_server(std::size_t threads = 1, room_settings const& settings = {}) { open(settings, threads); }
  ~rooms_of_a_server() { end(); }

  /// With other options, while there is nobody.
  void open(room_settings const& settings, std::size_t threads = 1, unsigned seed = 0) {
    end();
    options = settings;
    shards.emplace(threads, options, seed, [this](executor home, std::string const& name) {
      logs += name + " ";
      return make_log(home);
    });
    rooms.emplace(options, shards->all());
  }
  /// The shards have something to say to the directory until their coroutines have ended, and the directory to their
  /// rooms until it is destroyed.
  void end() {
    if (!rooms) return;
    rooms->stop();
    shards->end();
    rooms.reset();
    shards.reset();
  }

  net::io_context& io() { return shards->io(0); }
};

/// A member that has a seat, from which it knows its room and its shard.
struct visitor {
  rooms_of_a_server& at;
  directory::seat seat;
  std::optional<user> is;

  visitor(rooms_of_a_server& where, directory::seat taken, join_request const& wishes = {}, dialect_id speaks = json)
      : at(where), seat(std::move(taken)) {
    // As a session does it: the room is created by then, and runs at once.
    start(at.shards->io(seat.shard()), join(wishes, speaks));
  }
  visitor(visitor const&) = delete;
  visitor& operator=(visitor const&) = delete;
  /// Its seat goes back by a post, if it is to go to another shard (support/homebound.hpp).
  ~visitor() {
    is.reset();
    if (seat.shard() != 0) net::post(at.io(), [goes = std::move(seat)] {});
  }

  awaitable<void> join(join_request wishes, dialect_id speaks) {
    is.emplace((*at.shards)[seat.shard()].audience_of(seat.room().value()), wishes, speaks);
    co_return;
  }

  void say(std::string what) { is->say(std::move(what)); }
  std::uint64_t epoch() const { return seat.room()->which.epoch; }
  std::string const& heard() const { return is->peer.written; }
};

}  // namespace chorus::test
