#pragma once
// What comes first on a connection to the TLS listener: the handshake.

#include "server/admission.hpp"
#include "tls/tls_socket.hpp"

namespace chorus {

/// Agrees with the client, in the role of the server. Returns false when the connection is of no use: the client wants
/// something else, which is logged and counted, has gone, or has taken too long. The socket must be non-blocking; the
/// accepting shard's thread only. Does not throw for what a peer does.
awaitable<bool> shake_hands(admission& to, tls_socket& socket, tls_context& with, tcp::endpoint const& from,
                            clock::time_point deadline);

}  // namespace chorus
