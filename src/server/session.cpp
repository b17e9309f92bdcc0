#include "server/session.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "server/address.hpp"
#include "server/egress.hpp"
#include "server/kernel_tcp.hpp"
#include "server/life_cycle.hpp"
#include "server/linger.hpp"
#include "server/liveness.hpp"

namespace chorus {

namespace {

namespace websocket = boost::beast::websocket;

/// Flags of a send that another follows at once, so that both make one TCP segment.
#ifdef MSG_MORE
constexpr int more_follows = MSG_MORE;
#else
constexpr int more_follows = 0;
#endif

/// How much of a message is read at first, and the read buffer that an idle session keeps. Most chat messages fit.
constexpr std::size_t idle_input_capacity = 128;

/// Places that are far apart, however many follow each other: multiples of the golden ratio.
constexpr std::uint32_t spread(std::uint32_t number) { return number * 2654435769U; }

packet_ptr ping_packet() {
  static packet_ptr const shared = [] {
    std::string frame;
    append_frame(frame, opcode::ping, {});
    return make_packet(std::move(frame));
  }();
  return shared;
}

/// One connection: `run` reads, `write_loop` writes what does not fit at once, the heartbeat ticks. It ends by its
/// socket: whoever wants it to end says farewell, or closes the socket, and both tasks return. Each of them holds a
/// share of the session, so that it lives until the last has ended. What fails on our side ends this session alone.
template <class Transport>
class session final : public peer,
                      private outbound_channel::sink,
                      public std::enable_shared_from_this<session<Transport>> {
 public:
  session(connections& all, Transport transport, capacity::seat seat)
      : connections_(all),
        seat_(std::move(seat)),
        out_(transport.get_executor(), all.options.outbound_limit, *this),
        stream_(std::move(transport), out_),
        liveness_(all.options, clock::now(), spread(all.sessions_yet++)) {
    seat_.become_session();
    connections_.sessions.push_back(*this);
  }

  /// Answers the request, and is a WebSocket from then on, unless that fails.
  awaitable<void> accept(request asked) {
    stream_.set_option(websocket::stream_base::decorator(
        [](websocket::response_type& reply) { reply.set(http::field::server, "chorus"); }));
    stream_.read_message_max(connections_.options.max_message_size);
    stream_.control_callback([this](websocket::frame_type, std::string_view) { liveness_.heard(); });
    auto const [ec] = co_await stream_.async_accept(asked, nothrow);
    ended_ = ec;
    if (!ended_) life_.accepted();
  }

  awaitable<void> run(std::shared_ptr<session>, service to) {
    try {
      if (life_.is(phase::open)) greet(to);
      if (life_.is(phase::closing)) out_.seal(life_.reason()->frame);
      if (!ended_) co_await read_loop(to);
    } catch (...) {
      failed(std::current_exception());
    }
    if (peer_may_still_send()) life_.wrong_frame();
    leave();
    out_.close();
    if (life_.is(phase::lingering)) co_await linger(socket());
    close_socket();
  }

  void tick(clock::time_point now) override {
    liveness::outbound seen{!out_.empty(), out_.sealed(), out_.sent_bytes(), 0};
    if (liveness_.asks(seen)) seen.unacknowledged = unacknowledged_bytes(socket().native_handle());
    switch (liveness_.check(now, seen)) {
      case liveness::verdict::fine: return;
      case liveness::verdict::ping: return out_.push(ping_packet());
      case liveness::verdict::ping_timeout: return close(farewells::ping_timeout);
      case liveness::verdict::write_timeout: return abort(farewells::write_timeout);
      case liveness::verdict::close_timeout: return abort(farewells::close_timeout);
    }
  }

  void close(farewell const& reason) override {
    life_.say(reason);
    if (life_.is(phase::closing)) {
      leave();
      out_.seal(reason.frame);
    }
    if (life_.is(phase::closed)) close_socket();
  }

  void abort(farewell const& reason) override {
    life_.say(reason);
    leave();
    out_.close(reason.frame);
    close_socket();
  }

  void failed(std::exception_ptr why) noexcept override {
    connections_.report(why);
    life_.say(farewells::failed);
    out_.close(farewells::failed.frame);
    close_socket();
  }

 private:
  using phase = life_cycle::phase;

  awaitable<void> read_loop(service to) {
    for (;;) {
      auto const [ec, bytes] = co_await stream_.async_read_some(input_, idle_input_capacity, nothrow);
      ended_ = ec;
      if (!ended_ && !stream_.is_message_done()) co_await read_on();
      if (ended_) co_return;
      liveness_.heard();
      if (member_) {
        if (connections_.lobby.is_behind()) co_await wait_for_the_room();
        // It may have left meanwhile.
        if (member_) hear(*member_);
      } else if (to == service::echo && stream_.got_text()) {
        // Awaited, so that who does not read the answers is not read from either.
        out_.push(make_packet(encode_echo(received())));
        liveness_.reading(false);
        co_await out_.async_flush(nothrow);
        liveness_.reading(true);
      }
      release_input();
    }
  }

  /// Reads the rest of a message, part by part: while something comes, the peer lives. For that Beast holds at least
  /// 1.5 KiB ready, too much to wait with while a peer is silent.
  awaitable<void> read_on() {
    while (!ended_ && !stream_.is_message_done()) {
      liveness_.heard();
      auto const [ec, bytes] = co_await stream_.async_read_some(input_, 0, nothrow);
      ended_ = ec;
    }
  }

  awaitable<void> wait_for_the_room() {
    liveness_.reading(false);
    co_await connections_.lobby.wait_while_behind();
    liveness_.reading(true);
  }

  void start_writing() override { connections_.tasks.spawn(write_loop(this->shared_from_this())); }

  awaitable<void> write_loop(std::shared_ptr<session>) {
    try {
      while (!out_.empty()) {
        auto const buffers = out_.gather();
        auto const [ec, bytes] = co_await socket().async_write_some(buffers, nothrow);
        out_.consume(bytes);
        if (!ec) continue;
        out_.close();
        close_socket();
      }
    } catch (...) {
      failed(std::current_exception());
    }
  }

  void greet(service to) {
    if (to == service::echo) return out_.push(make_packet(encode_echo_greeting()));
    member_.emplace(connections_.lobby, connections_.text, out_);
    connections_.log.info("joined name={} address={} users={}", member_->name(), seat_.from(),
                          connections_.lobby.users());
  }

  void hear(member& speaker) {
    auto said = connections_.text.decode(stream_.got_text() ? opcode::text : opcode::binary, received());
    if (said) speaker.say(std::move(*said));
  }

  void leave() noexcept {
    if (!member_) return;
    try {
      connections_.log.info("left name={} address={} reason={:?}", member_->name(), seat_.from(), why_ended());
    } catch (...) {
      connections_.report(std::current_exception());
    }
    member_.reset();
  }

  /// True if Beast closed for a wrong frame. After a close frame of its own the peer is silent, and the server is the
  /// one to close the connection (RFC 6455 section 7.1.1).
  bool peer_may_still_send() const {
    return ended_ != websocket::error::closed &&
           ended_.category() == make_error_code(websocket::error::closed).category();
  }

  std::string why_ended() const {
    if (life_.reason() != nullptr) return life_.reason()->why;
    if (ended_ != websocket::error::closed) return ended_.message();
    auto const& peers = stream_.reason();
    auto const text = std::string_view(peers.reason.data(), peers.reason.size());
    // 1005 stands for a close frame without a code, and is never sent (RFC 6455 section 7.4.1).
    auto const code = peers.code == websocket::close_code::none ? 1005 : static_cast<unsigned>(peers.code);
    return fmt::format("closed by peer: {}{}{}", code, text.empty() ? "" : " ", text);
  }

  std::size_t try_write(net::const_buffer bytes) noexcept override {
    error_code ec;
    // What is written while it opens is the reply to the upgrade request, and the greeting follows.
    auto const more = life_.is(phase::opening) && life_.reason() == nullptr;
    return socket().send(net::buffer(bytes), more ? more_follows : 0, ec);
  }

  packet_ptr gap_notice(seq_range missed) override {
    return make_packet(connections_.text.gap(missed.first, missed.last));
  }

  std::string_view received() const { return {static_cast<char const*>(input_.cdata().data()), input_.size()}; }

  void release_input() {
    input_.clear();
    if (input_.capacity() > idle_input_capacity) input_.shrink_to_fit();
  }

  Transport& socket() { return stream_.next_layer().next_layer(); }

  void close_socket() noexcept {
    life_.end();
    error_code ignored;
    socket().close(ignored);
  }

  connections& connections_;
  capacity::seat seat_;
  outbound_channel out_;
  websocket::stream<egress<Transport>, false> stream_;
  boost::beast::flat_buffer input_;
  std::optional<member> member_;
  liveness liveness_;
  life_cycle life_;
  error_code ended_;  ///< how reading ended
};

}  // namespace

awaitable<void> open_session(connections& all, tcp_socket socket, capacity::seat seat, upgrade granted) {
  auto const opened = std::make_shared<session<tcp_socket>>(all, std::move(socket), std::move(seat));
  co_await opened->accept(std::move(granted.asked));
  all.tasks.spawn(opened->run(opened, granted.to));
}

}  // namespace chorus
