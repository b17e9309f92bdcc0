#include "server/secured.hpp"

#include "server/preamble.hpp"

namespace chorus {

awaitable<bool> shake_hands(admission& to, tls_socket& socket, tls_context& with, tcp::endpoint const& from,
                            clock::time_point deadline) {
  preamble const watched(to, socket.next_layer(), deadline);
  socket.accept_tls(with);
  auto const [ec] = co_await socket.async_handshake(nothrow);
  if (!ec) co_return true;
  // Who comes and goes without a word says nothing about TLS, and a server that stops closes it by itself.
  auto const closed_here = !socket.next_layer().is_open() && !watched.is_late();
  if (ec == net::error::eof || closed_here) co_return false;
  ++to.tally.refused["tls"];
  auto const why = watched.is_late() ? std::string("it was not complete in time") : ec.message();
  to.at.log.debug("tls_handshake_failed", {{"address", from}, {"reason", why}});
  co_return false;
}

}  // namespace chorus
