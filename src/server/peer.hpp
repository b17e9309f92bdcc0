#pragma once
// A connection as the server sees it, in whatever phase it is.

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <exception>
#include <typeinfo>

#include "server/farewell.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Called by the heartbeat and by the server on the executor's thread. None of these calls blocks, suspends or destroys
/// a peer: they change its state or its socket, and its own coroutine notices. It is in one list of peers, and leaves
/// that when it is destroyed.
class peer : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// Time has passed: check deadlines.
  virtual void tick(clock::time_point) {}
  /// Ends in good order: what waits goes out first, then the farewell, then the peer may answer.
  virtual void close(farewell const&) {}
  /// Ends now: the farewell if it fits without waiting, then the socket is closed.
  virtual void abort(farewell const&) {}
  /// Bytes that wait to be sent.
  virtual std::size_t backlog() const { return 0; }
  /// Ends now: something went wrong on our side.
  virtual void failed(std::exception_ptr) noexcept {}

 protected:
  peer() = default;
  ~peer() = default;
};

using peer_list = boost::intrusive::list<peer, boost::intrusive::constant_time_size<false>>;

/// Keeps the place of a visit in a list of peers.
class bookmark final : public peer {};

inline bool is_bookmark(peer const& p) { return typeid(p) == typeid(bookmark); }

/// The first peer of a list that may be visited right now; null if there is none.
inline peer* first_of(peer_list& all) {
  auto const found = std::ranges::find_if_not(all, is_bookmark);
  return found == all.end() ? nullptr : &*found;
}

/// Calls `step(peer&)` for all peers of the list, and awaits `pause()` after every `at_once` of them. Meanwhile peers
/// may come and go: everyone who stays is visited once. What goes wrong in a step ends that peer alone.
template <class Step, class Pause>
awaitable<void> visit(peer_list& all, std::size_t at_once, Step step, Pause pause) {
  bookmark place;
  std::size_t visited = 0;
  for (auto next = all.begin(); next != all.end();) {
    auto& visiting = *next++;
    if (is_bookmark(visiting)) continue;
    try {
      step(visiting);
    } catch (...) {
      visiting.failed(std::current_exception());
    }
    if (++visited % at_once != 0) continue;
    all.insert(next, place);
    co_await pause();
    next = all.erase(all.iterator_to(place));
  }
}

}  // namespace chorus
