#pragma once
// What TLS connections have in common: certificates, and which versions and ciphers will do.

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <string>

namespace chorus {

/// Holds for those who have it; each connection keeps what it began with.
using tls_context = boost::asio::ssl::context;

/// PEM files.
struct tls_files {
  std::string certificate;  ///< the server's, and those that lead from it to a root (RFC 8446 section 4.4.2)
  std::string key;

  bool operator==(tls_files const&) const = default;
};

/// For a server: TLS 1.2 and 1.3, forward secrecy, no compression, no renegotiation; of the protocols that a client
/// offers (ALPN, RFC 7301) only http/1.1 will do. Reads the files. Throws `runtime_error` that says which of them will
/// not do, and why.
tls_context server_tls(tls_files const& files);

/// When the certificate of a server ends.
std::chrono::system_clock::time_point expiry_of(tls_context& server);

/// Which certificates a client takes.
struct tls_trust {
  std::string authorities;  ///< a PEM file of roots; empty is what the system trusts
  bool verify = true;

  bool operator==(tls_trust const&) const = default;
};

/// For a client: the same versions and ciphers. Throws `runtime_error` that says why the file will not do.
tls_context client_tls(tls_trust const& whom);

}  // namespace chorus
