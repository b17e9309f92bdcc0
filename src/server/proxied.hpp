#pragma once
// What comes before everything else on a connection from a trusted proxy: perhaps a PROXY header.

#include "server/admission.hpp"
#include "support/asio.hpp"

namespace chorus {

/// Waits for the first bytes. Where they are a PROXY header (proxy_header.hpp), takes exactly that from the socket, and
/// from then on `from` and the seat are the client's; otherwise leaves everything as it is. Returns false when the
/// connection is of no use: the header is wrong, which is logged, it was not whole by the deadline, the
/// peer has gone, or there are too many from the client's address. The socket must be non-blocking; the accepting
/// shard's thread only. Does not throw for what a peer does.
awaitable<bool> take_proxy_header(admission& to, tcp_socket& socket, tcp::endpoint& from, capacity::seat& seat,
                                  clock::time_point deadline);

}  // namespace chorus
