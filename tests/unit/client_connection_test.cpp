// The client's connection, with the real server.

#include <boost/test/unit_test.hpp>
#include <deque>

#include "client/connection.hpp"
#include "integration/running_server.hpp"
#include "protocol/json_dialect.hpp"
#include "support/task_group.hpp"

namespace chorus::test {

namespace {

/// Members of one room that hear each other come and go.
struct crowd {
  static constexpr std::size_t size = 6;

  net::io_context io;
  task_group tasks{io.get_executor()};
  std::deque<connection> members;
  std::size_t ended = 0;

  awaitable<void> come_and_go(std::uint16_t port) {
    for (std::size_t i = 0; i != size; ++i) {
      auto& one = members.emplace_back(io.get_executor());
      one.on_pong([](std::string const&) {});
      websocket_url to{"127.0.0.1", std::to_string(port), "/chat/crowd"};
      handshake asked{{}, std::string(json_dialect::subprotocol)};
      auto const opened = co_await one.open(std::move(to), std::move(asked));
      BOOST_REQUIRE(opened.ok());
      tasks.spawn(read(one));
    }
    for (auto& one : members) tasks.spawn(close(one));
  }

  awaitable<void> read(connection& from) {
    for (auto more = true; more;) {
      auto const next = co_await from.receive();
      more = next.what == incoming::kind::text;
    }
    ++ended;
  }

  awaitable<void> close(connection& one) {
    std::string reason;
    auto const failed = co_await one.close(1000, std::move(reason));
    BOOST_TEST(!failed);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(client_connections)

/// What the others' leaving makes the server say may come with its answer to our own close frame, in one segment.
BOOST_AUTO_TEST_CASE(end_also_when_much_comes_while_they_close) {
  running_server server;
  for (int round = 0; round != 300; ++round) {
    crowd all;
    all.tasks.spawn(all.come_and_go(server.port()));
    all.io.run_for(patience);
    BOOST_REQUIRE_MESSAGE(all.ended == crowd::size, "round " << round << ": " << all.ended << " ended");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus::test
