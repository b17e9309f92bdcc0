#pragma once
// A channel that costs no memory while it is empty.

#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>
#include <list>

#include "support/asio.hpp"

namespace chorus {

/// Keeps what waits in a list, which allocates nothing while it is empty. The default is a deque, which always holds a
/// block: 592 bytes for every channel of every idle connection.
struct signal_traits : net::experimental::channel_traits<void(error_code)> {
  template <class...>
  struct rebind {
    using other = signal_traits;
  };
  template <class Element>
  struct container {
    using type = std::list<Element>;
  };
};

/// A channel whose messages say only that something has happened, or failed.
using signal_channel = net::experimental::basic_channel<executor, signal_traits, void(error_code)>;

}  // namespace chorus
