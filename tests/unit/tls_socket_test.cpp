#include "tls/tls_socket.hpp"

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "run.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;

/// A certificate that signs itself, and its key, for as long as this is there.
class own_certificate {
 public:
  own_certificate() {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    std::unique_ptr<X509, decltype(&X509_free)> const made(X509_new(), X509_free);
    X509_set_pubkey(made.get(), key.get());
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_sign(made.get(), key.get(), EVP_sha256());
    write(files_.certificate, [&](std::FILE* to) { return PEM_write_X509(to, made.get()); });
    write(files_.key,
          [&](std::FILE* to) { return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }
  own_certificate(own_certificate const&) = delete;
  own_certificate& operator=(own_certificate const&) = delete;
  ~own_certificate() {
    std::filesystem::remove(files_.certificate);
    std::filesystem::remove(files_.key);
  }

  tls_files const& files() const { return files_; }

 private:
  template <class Write>
  static void write(std::string& name, Write contents) {
    name = (std::filesystem::temp_directory_path() / "chorus-XXXXXX").string();
    auto* const file = ::fdopen(::mkstemp(name.data()), "w");
    BOOST_REQUIRE(contents(file) == 1);
    std::fclose(file);
  }

  tls_files files_;
};

/// Two ends of a connection that have shaken hands. The kernel takes little at a time.
struct connected {
  connected() {
    tcp_acceptor acceptor(io.get_executor(), {net::ip::address_v4::loopback(), 0});
    tcp_socket near(io.get_executor());
    near.open(tcp::v4());
    near.set_option(net::socket_base::send_buffer_size(4096));
    near.connect(acceptor.local_endpoint());
    auto far = acceptor.accept();
    near.non_blocking(true);
    far.non_blocking(true);
    server = std::make_unique<tls_socket>(std::move(near));
    client = std::make_unique<tls_socket>(std::move(far));
    server->accept_tls(server_context);
    client->connect_tls(client_context, "localhost");
    test::start_later(io, shake_hands(*server));
    test::start_later(io, shake_hands(*client));
    io.run();
  }

  static awaitable<void> shake_hands(tls_socket& side) {
    auto const [ec] = co_await side.async_handshake(nothrow);
    BOOST_TEST(!ec, ec.message());
  }

  own_certificate certificate;
  tls_context server_context = server_tls(certificate.files());
  tls_context client_context = client_tls({{}, false});
  net::io_context io{1};
  std::unique_ptr<tls_socket> server;
  std::unique_ptr<tls_socket> client;
};

std::string some_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::minstd_rand random(7);
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// Reads to the end, now so much at a time, now so much.
awaitable<void> read_all(tls_socket& from, std::string& to, error_code& ended, std::size_t at_most = 20000) {
  std::minstd_rand random(1);
  while (!ended) {
    std::string part(1 + random() % at_most, '\0');
    auto const [ec, bytes] = co_await from.async_read_some(net::buffer(part), nothrow);
    to.append(part, 0, bytes);
    ended = ec;
  }
}

/// As an outbound channel does it: what is new is sent at once if nothing waits, else it waits for the write loop.
class sender {
 public:
  explicit sender(tls_socket& to) : to_(to) {}

  void push(std::string bytes) {
    error_code ec;
    auto const taken = waiting_.empty() ? to_.send(net::buffer(bytes), 0, ec) : 0;
    if (waiting_.empty() && taken == 0) ++refused;
    if (taken == bytes.size()) return;
    waiting_.push_back(bytes.substr(taken));
  }

  awaitable<void> write_loop() {
    while (!waiting_.empty()) {
      std::vector<net::const_buffer> buffers;
      for (auto const& one : waiting_) buffers.push_back(net::buffer(one));
      auto [ec, bytes] = co_await to_.async_write_some(buffers, nothrow);
      BOOST_REQUIRE(!ec);
      while (bytes != 0 && bytes >= waiting_.front().size()) {
        bytes -= waiting_.front().size();
        waiting_.erase(waiting_.begin());
      }
      if (bytes != 0) waiting_.front().erase(0, bytes);
    }
  }

  std::size_t refused = 0;  ///< sends that took nothing

 private:
  tls_socket& to_;
  std::vector<std::string> waiting_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(tls, connected)

BOOST_AUTO_TEST_CASE(what_is_sent_without_waiting_and_what_waits_arrive_in_order) {
  auto const seeds = 20U;
  std::string all;
  std::string arrived;
  error_code ended;
  test::start_later(io, read_all(*client, arrived, ended));
  sender out(*server);
  for (auto seed = 1U; seed <= seeds; ++seed) {
    std::minstd_rand random(seed);
    auto const sizes = random() % 2 == 0 ? 300U : 40000U;
    for (auto i = 0; i != 20; ++i) {
      auto const bytes = some_bytes(1 + random() % sizes);
      out.push(bytes);
      all += bytes;
      // The reader has its turn, or has not.
      if (random() % 3 == 0) test::poll_one(io);
    }
    test::start_later(io, out.write_loop());
    while (arrived.size() != all.size()) {
      io.restart();
      BOOST_REQUIRE(io.run_one_for(10s) == 1U);
    }
  }
  BOOST_TEST(out.refused != 0U);
  BOOST_TEST((arrived == all));
  error_code ec;
  server->close(ec);
  io.restart();
  io.run_for(10s);
  BOOST_TEST((ended == net::error::eof));
}

BOOST_AUTO_TEST_CASE(while_a_record_waits_nothing_else_is_sent) {
  auto const bytes = some_bytes(16000);
  error_code ec;
  std::size_t sent = 0;
  while (!ec) sent += server->send(net::buffer(bytes), 0, ec);
  BOOST_TEST((ec == net::error::would_block));
  BOOST_TEST(sent % bytes.size() == 0U);
  BOOST_TEST(server->send(net::buffer("x", 1), 0, ec) == 0U);
  BOOST_TEST((ec == net::error::would_block));
  // Not even that it ends: a record would be cut in half.
  server->close_notify();
  std::string arrived;
  error_code ended;
  test::start_later(io, read_all(*client, arrived, ended));
  test::start_later(io, [](tls_socket& of, std::string const& rest) -> awaitable<void> {
    co_await net::async_write(of, net::buffer(rest), nothrow);
    error_code ignored;
    of.close(ignored);
  }(*server, bytes));
  io.restart();
  io.run_for(10s);
  BOOST_TEST((ended == net::error::eof));
  BOOST_TEST(arrived.size() == sent + bytes.size());
}

BOOST_AUTO_TEST_CASE(it_moves_to_another_thread_with_what_it_has_not_read) {
  error_code ec;
  BOOST_TEST(client->send(net::buffer("before after", 12), 0, ec) == 12U);
  std::string first(6, '\0');
  test::start_later(io, [](tls_socket& from, std::string& to) -> awaitable<void> {
    co_await from.async_read_some(net::buffer(to), nothrow);
  }(*server, first));
  io.restart();
  io.run_for(10s);
  BOOST_TEST(first == "before");

  std::string rest;
  std::thread([moved = detach(std::move(*server)), &rest]() mutable {
    net::io_context elsewhere(1);
    auto arrived = std::move(moved).into(elsewhere.get_executor());
    test::start_later(elsewhere, [](tls_socket& of, std::string& to) -> awaitable<void> {
      to.resize(6);
      co_await of.async_read_some(net::buffer(to), nothrow);
      error_code ignored;
      of.send(net::buffer("answer", 6), 0, ignored);
    }(arrived, rest));
    elsewhere.run_for(10s);
  }).join();
  BOOST_TEST(rest == " after");
  std::string answer;
  error_code ended;
  test::start_later(io, read_all(*client, answer, ended));
  io.restart();
  io.run_for(10s);
  BOOST_TEST(answer == "answer");
}

BOOST_AUTO_TEST_CASE(when_it_is_closed_nothing_touches_its_descriptor) {
  error_code ec;
  auto const number = server->native_handle();
  server->close(ec);
  // Soon another connection has its number.
  std::vector<tcp_socket> others;
  do {
    others.emplace_back(io.get_executor()).open(tcp::v4());
  } while (others.back().native_handle() != number);
  BOOST_TEST(server->send(net::buffer("x", 1), 0, ec) == 0U);
  BOOST_TEST((ec == net::error::bad_descriptor));
  char byte = 0;
  BOOST_TEST(server->read_some(net::buffer(&byte, 1), ec) == 0U);
  BOOST_TEST((ec == net::error::bad_descriptor));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_tls_end_it) {
  error_code ec;
  client->next_layer().send(net::buffer("no TLS at all", 13), 0, ec);
  std::string arrived;
  error_code ended;
  test::start_later(io, read_all(*server, arrived, ended));
  io.restart();
  io.run_for(10s);
  BOOST_TEST((ended && ended != net::error::eof));
  BOOST_TEST(server->send(net::buffer("x", 1), 0, ec) == 0U);
  BOOST_TEST((ec == ended));
}

BOOST_AUTO_TEST_CASE(who_is_gone_raises_no_signal) {
  error_code ec;
  client->next_layer().set_option(net::socket_base::linger(true, 0));
  client->next_layer().close();
  server->next_layer().wait(net::socket_base::wait_read);
  auto const bytes = some_bytes(1000);
  while (!ec) server->send(net::buffer(bytes), 0, ec);
  BOOST_TEST((ec == net::error::connection_reset || ec == net::error::broken_pipe));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
