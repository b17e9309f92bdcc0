#pragma once
// A connection as the server sees it, in whatever phase it is.

#include <boost/intrusive/list.hpp>

#include "server/farewell.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Called by the heartbeat and by `server::stop` on the executor's thread. None of these calls blocks, suspends or
/// destroys a peer: they change its state or its socket, and its own coroutine notices. Leaves the list of peers when
/// it is destroyed.
class peer : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// Time has passed: check deadlines.
  virtual void tick(clock::time_point now) = 0;
  /// Ends in good order: what waits goes out first, then the farewell, then the peer may answer.
  virtual void close(farewell const& words) = 0;
  /// Ends now: the farewell if it fits without waiting, then the socket is closed.
  virtual void abort(farewell const& words) = 0;

 protected:
  peer() = default;
  ~peer() = default;
};

using peer_list = boost::intrusive::list<peer, boost::intrusive::constant_time_size<false>>;

}  // namespace chorus
