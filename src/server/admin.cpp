#include "server/admin.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "server/address.hpp"
#include "server/routes.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;
using generic = net::generic::stream_protocol;

constexpr std::size_t most_connections = 16;
/// A scraper's interval is shorter, and it may keep its connection.
constexpr clock::duration longest_silence = 90s;
constexpr std::uint32_t most_header_bytes = 8 * 1024;
/// The most active ones; how many there are is told too.
constexpr std::size_t most_rooms = 1000;

/// True if it is a socket that nobody listens on.
bool is_abandoned(executor ex, stream_endpoint const& at) {
  net::basic_stream_socket<generic, executor> probe(ex);
  error_code ec;
  probe.connect(at, ec);
  return ec == net::error::connection_refused;
}

awaitable<response> tell_metrics(survey& of) {
  auto const now = co_await of.read();
  auto answer = text(http::status::ok, to_prometheus(now));
  answer.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
  co_return answer;
}

awaitable<response> tell_rooms(survey& of) {
  auto all = co_await of.read_rooms();
  std::ranges::sort(all, [](room_activity const& a, room_activity const& b) {
    return std::tie(a.messages_per_second, a.now.users) > std::tie(b.messages_per_second, b.now.users);
  });
  boost::json::array rooms;
  for (std::size_t i = 0; i != std::min(all.size(), most_rooms); ++i) {
    auto const& [now, home, rate] = all[i];
    rooms.push_back(boost::json::object{{"name", now.name},
                                        {"home", home},
                                        {"users", now.users},
                                        {"messages", now.messages},
                                        {"messages_per_second", rate},
                                        {"epoch", now.epoch},
                                        {"seq", now.events}});
  }
  boost::json::object const body{{"count", all.size()}, {"rooms", std::move(rooms)}};
  auto answer = text(http::status::ok, boost::json::serialize(body) + "\n");
  answer.set(http::field::content_type, "application/json");
  co_return answer;
}

awaitable<response> respond(survey& of, request const& asked) {
  std::string const path(asked.target());
  if (auto refusal = refuse_other_methods(asked)) co_return std::move(*refusal);
  if (path == "/metrics") co_return co_await tell_metrics(of);
  if (path == "/rooms") co_return co_await tell_rooms(of);
  if (path == "/healthz" || path == "/readyz") co_return health(path, of.is_ready());
  co_return problem(http::status::not_found, "There is /metrics, /healthz, /readyz and /rooms.");
}

}  // namespace

/// Until it has been silent too long, or is to go.
class admin::connection final : public peer {
 public:
  connection(admin& of, socket& with) : of_(of), socket_(with) {
    ++of_.connected_;
    heard();
  }
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;
  ~connection() { --of_.connected_; }

  void heard() {
    deadline_ = clock::now() + longest_silence;
    if (is_linked()) unlink();
    of_.peers_.push_back(*this);
  }

  void tick(clock::time_point now) override {
    if (now >= deadline_) end();
  }
  void abort(farewell const&) override { end(); }
  void failed(std::exception_ptr) noexcept override { end(); }

 private:
  void end() {
    error_code ignored;
    socket_.close(ignored);
  }

  admin& of_;
  socket& socket_;
  clock::time_point deadline_;
};

admin::admin(executor ex, std::optional<stream_endpoint> const& at, inherited_sockets& inherited, survey& of,
             logger& log)
    : observed_(of), log_(log), acceptor_(ex), pause_(ex), tasks_(ex, [this](auto const& why) {
        log_.error("admin_connection_failed", {{"reason", describe(why)}});
      }) {
  if (auto const descriptor = inherited.take("admin")) {
    acceptor_.assign(generic(family_of(*descriptor), 0), *descriptor);
  } else if (at) {
    listen(*at);
  }
}

admin::~admin() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void admin::listen(stream_endpoint const& at) {
  auto const is_local = at.protocol().family() == AF_UNIX;
  error_code ec;
  acceptor_.open(at.protocol(), ec);
  if (!ec && !is_local) acceptor_.set_option(net::socket_base::reuse_address(true), ec);
  if (!ec) acceptor_.bind(at, ec);
  if (ec == net::error::address_in_use && is_local && is_abandoned(acceptor_.get_executor(), at)) {
    ::unlink(to_string(at).c_str());
    acceptor_.bind(at, ec);
  }
  if (!ec && is_local) path_ = to_string(at);
  if (!ec) acceptor_.listen(net::socket_base::max_listen_connections, ec);
  if (ec)
    throw std::runtime_error(fmt::format("cannot listen on {} for --admin-address: {}", to_string(at), ec.message()));
}

std::optional<stream_endpoint> admin::local_endpoint() const {
  if (!acceptor_.is_open()) return std::nullopt;
  return acceptor_.local_endpoint();
}

void admin::start() {
  if (acceptor_.is_open()) tasks_.spawn(accept());
}

void admin::close() {
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (auto& each : peers_) each.abort(farewells::stopped);
}

awaitable<void> admin::accept() {
  while (acceptor_.is_open()) {
    auto [ec, with] = co_await acceptor_.async_accept(nothrow);
    if (!acceptor_.is_open()) co_return;
    if (ec) {
      log_.debug("admin_accept_failed", {{"reason", ec.message()}});
      pause_.expires_after(100ms);
      co_await pause_.async_wait(nothrow);
      continue;
    }
    if (auto* const longest = first_of(peers_); longest != nullptr && connected_ >= most_connections)
      longest->abort(farewells::stopped);
    tasks_.spawn(serve(std::move(with)));
  }
}

awaitable<void> admin::serve(socket with) {
  connection here(*this, with);
  boost::beast::flat_buffer buffer;
  for (auto goes_on = true; goes_on;) {
    request_parser reader;
    reader.header_limit(most_header_bytes);
    auto const [failed, read] = co_await http::async_read_header(with, buffer, reader, nothrow);
    if (failed) co_return;
    here.heard();
    auto answer = co_await respond(observed_, reader.get());
    fit(answer, reader, !acceptor_.is_open());
    auto const [lost, written] = co_await http::async_write(with, answer, nothrow);
    goes_on = !lost && answer.keep_alive();
  }
}

}  // namespace chorus
