#include "tls/tls_context.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdexcept>
#include <string_view>

namespace chorus {

namespace {

// What is forward secret, authenticated, and what everyone has who has TLS 1.2.
constexpr char const* ciphers_of_tls_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";

constexpr unsigned char http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// RFC 7301 section 3.2: if none of what is offered will do, the handshake fails.
int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* size, unsigned char const* offered,
                    unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  auto const result = SSL_select_next_proto(&found, size, http_1_1, sizeof http_1_1, offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// The first is the cause of the others.
std::string why() {
  auto const* const reason = ERR_reason_error_string(ERR_peek_error());
  return reason == nullptr ? "OpenSSL does not say why" : reason;
}

[[noreturn]] void fail(std::string_view what, std::string const& file, std::string_view reason) {
  throw std::runtime_error(fmt::format("the {} {} will not do: {}", what, file, reason));
}

/// OpenSSL does not always say it in words.
void expect_readable(std::string_view what, std::string const& file) {
  struct closes {
    void operator()(std::FILE* opened) const { std::fclose(opened); }
  };
  std::unique_ptr<std::FILE, closes> const opened(std::fopen(file.c_str(), "re"));
  // A folder can be opened.
  if (!opened || (std::fgetc(opened.get()) == EOF && std::ferror(opened.get()) != 0))
    fail(what, file, std::strerror(errno));
}

void take(bool done, std::string_view what, std::string const& file) {
  if (!done) fail(what, file, why());
}

tls_context make_context(tls_context::method role) {
  tls_context made(role);
  auto* const native = made.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(native, ciphers_of_tls_1_2);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // WebSocket and HTTP know by themselves where they end.
  SSL_CTX_set_options(native, SSL_OP_IGNORE_UNEXPECTED_EOF);
  // An idle connection has no buffers; one that has something to read reads it with one system call.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(native, 1);
  // What tls_socket is built on.
  SSL_CTX_set_mode(native, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return made;
}

}  // namespace

tls_context server_tls(tls_files const& files) {
  expect_readable("certificate", files.certificate);
  expect_readable("key", files.key);
  auto made = make_context(tls_context::tls_server);
  auto* const native = made.native_handle();
  // Tickets do without.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  auto is_encrypted = false;
  // Only what is read below asks.
  made.set_password_callback([&is_encrypted](std::size_t, tls_context::password_purpose) {
    is_encrypted = true;
    return std::string();
  });
  ERR_clear_error();
  take(SSL_CTX_use_certificate_chain_file(native, files.certificate.c_str()) == 1, "certificate", files.certificate);
  auto* const certificate = SSL_CTX_get0_certificate(native);
  auto const has_key = SSL_CTX_use_PrivateKey_file(native, files.key.c_str(), SSL_FILETYPE_PEM) == 1;
  if (is_encrypted) fail("key", files.key, "it is encrypted, and nobody is asked for a password");
  // A key of another kind than the certificate's is taken, as one whose certificate is still to come.
  take(has_key && X509_check_private_key(certificate, SSL_CTX_get0_privatekey(native)) == 1, "key", files.key);
  return made;
}

std::chrono::system_clock::time_point expiry_of(tls_context& server) {
  std::tm end{};
  ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(server.native_handle())), &end);
  return std::chrono::system_clock::from_time_t(::timegm(&end));
}

tls_context client_tls(tls_trust const& whom) {
  auto made = make_context(tls_context::tls_client);
  auto* const native = made.native_handle();
  if (!whom.verify) return made;
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  if (whom.authorities.empty()) {
    SSL_CTX_set_default_verify_paths(native);
    return made;
  }
  expect_readable("authorities' file", whom.authorities);
  ERR_clear_error();
  take(SSL_CTX_load_verify_locations(native, whom.authorities.c_str(), nullptr) == 1, "authorities' file",
       whom.authorities);
  return made;
}

}  // namespace chorus
