#pragma once
// Long loops that leave the thread to others now and then.

#include <boost/asio/post.hpp>
#include <cstddef>

#include "support/asio.hpp"

namespace chorus {

/// How much of a long loop is done at a time: so many small sends take about a millisecond.
inline constexpr std::size_t slice = 256;

/// Counts a step of a loop. True if it was the last of a slice: then others are to run.
inline bool ends_slice(std::size_t& done, std::size_t work = 1) {
  done += work;
  if (done < slice) return false;
  done = 0;
  return true;
}

/// To be awaited: everyone who is ready has a turn before it returns.
inline auto let_others_run(executor ex) { return net::post(ex, net::deferred); }

}  // namespace chorus
