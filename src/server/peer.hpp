#pragma once
// A connection as the server sees it, in whatever phase it is.

#include <boost/intrusive/list.hpp>
#include <exception>
#include <iterator>

#include "server/farewell.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Called by the heartbeat and by the server on the executor's thread. None of these calls blocks, suspends, throws or
/// destroys a peer: they change its state or its socket, and its own coroutine notices. What goes wrong in one of them
/// ends that peer. Leaves the list of peers when it is destroyed.
class peer : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// Time has passed: check deadlines.
  void tick(clock::time_point now) noexcept {
    guarded([&] { on_tick(now); });
  }
  /// Ends in good order: what waits goes out first, then the farewell, then the peer may answer.
  void close(farewell const& words) noexcept {
    guarded([&] { on_close(words); });
  }
  /// Ends now: the farewell if it fits without waiting, then the socket is closed.
  void abort(farewell const& words) noexcept {
    guarded([&] { on_abort(words); });
  }

 protected:
  peer() = default;
  ~peer() = default;

  virtual void on_tick(clock::time_point now) = 0;
  virtual void on_close(farewell const& words) = 0;
  virtual void on_abort(farewell const& words) = 0;
  /// Ends now: something went wrong on our side.
  virtual void failed(std::exception_ptr why) noexcept = 0;

 private:
  template <class Step>
  void guarded(Step step) noexcept {
    try {
      step();
    } catch (...) {
      failed(std::current_exception());
    }
  }
};

using peer_list = boost::intrusive::list<peer, boost::intrusive::constant_time_size<false>>;

using waiting_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<class waiting_tag>,
                                                      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One that speaks plain HTTP. It waits for a request since it came, or was last answered; where places run short, it
/// gives way.
class plain_peer : public peer, public waiting_hook {
 protected:
  ~plain_peer() = default;
};

/// Whoever waits longest comes first.
using waiting_list = boost::intrusive::list<plain_peer, boost::intrusive::base_hook<waiting_hook>,
                                            boost::intrusive::constant_time_size<false>>;

/// A walk over all peers that may pause between any two of them: peers come and go meanwhile, and everyone who stays is
/// visited once. It holds its place in the list, which must outlive it.
class peer_walk {
 public:
  explicit peer_walk(peer_list& all) : all_(all) { all_.push_front(bookmark_); }

  /// The next peer, null at the end.
  peer* next() {
    auto const here = all_.iterator_to(bookmark_);
    auto const found = std::next(here);
    if (found == all_.end()) return nullptr;
    all_.splice(std::next(found), all_, here);
    return &*found;
  }

 private:
  /// For other walks it is a peer that does nothing.
  class bookmark final : public peer {
    void on_tick(clock::time_point) override {}
    void on_close(farewell const&) override {}
    void on_abort(farewell const&) override {}
    void failed(std::exception_ptr) noexcept override {}
  };

  peer_list& all_;
  bookmark bookmark_;
};

}  // namespace chorus
