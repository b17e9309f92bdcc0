#pragma once
// What the kernel's TCP does and knows that Asio has no name for. Where a system lacks it, nothing is limited or known.

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace chorus {

/// Lets the kernel take about `bytes` at most that it cannot send yet (TCP_NOTSENT_LOWAT); 0 leaves that to the system.
/// What a listening socket has, those that it accepts inherit.
inline void limit_unsent([[maybe_unused]] int socket, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef TCP_NOTSENT_LOWAT
  auto const most = static_cast<unsigned>(bytes);
  if (bytes != 0) ::setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
#endif
}

/// Bytes that the kernel has taken, and the peer has not acknowledged; 0 if that cannot be known.
inline std::uint64_t unacknowledged_bytes([[maybe_unused]] int socket) noexcept {
#ifdef SIOCOUTQ
  int bytes = 0;
  if (::ioctl(socket, SIOCOUTQ, &bytes) == 0) return static_cast<std::uint64_t>(bytes);
#endif
  return 0;
}

}  // namespace chorus
