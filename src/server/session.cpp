#include "server/session.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "chat/member.hpp"
#include "protocol/text_dialect.hpp"
#include "server/egress.hpp"
#include "server/kernel_tcp.hpp"
#include "server/life_cycle.hpp"
#include "server/linger.hpp"
#include "server/liveness.hpp"
#include "server/rate_limit.hpp"
#include "tls/tls_socket.hpp"

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
template <transport Transport>
class session final : public peer,
                      private outbound_channel::sink,
                      private recipient,
                      public std::enable_shared_from_this<session<Transport>> {
 public:
  session(shard& on, Transport transport, upgrade& granted)
      : shard_(on),
        speaks_(granted.to.speaks),
        what_(granted.to.what),
        stream_(std::move(transport), out_),
        out_(stream_.get_executor(), on.options.outbound_limit, *this),
        takes_(std::move(granted.takes)),
        from_(granted.from),
        liveness_(on.options, clock::now(), spread(on.sessions_yet++)) {
    shard_.sessions.push_back(*this);
    ++shard_.tally.open[kind()];
    ++shard_.tally.opened[kind()];
  }
  session(session const&) = delete;
  session& operator=(session const&) = delete;

  ~session() {
    --shard_.tally.open[kind()];
    ++shard_.tally.ended[index_of(how_ended())];
    try {
      log_end();
    } catch (...) {
      shard_.report(std::current_exception());
    }
  }

  /// Answers the request, and is a WebSocket from then on, unless that fails.
  awaitable<void> accept(request asked) {
    auto const subprotocol = subprotocols[index_of(speaks())];
    stream_.set_option(websocket::stream_base::decorator([subprotocol](websocket::response_type& reply) {
      reply.set(http::field::server, "chorus");
      if (!subprotocol.empty()) reply.set(http::field::sec_websocket_protocol, subprotocol);
    }));
    stream_.read_message_max(shard_.options.max_message_size);
    stream_.control_callback([this](websocket::frame_type, std::string_view) { liveness_.heard(); });
    auto const [ec] = co_await stream_.async_accept(asked, nothrow);
    ended_ = ec;
    if (!ended_) life_.accepted();
  }

  /// What is asked of it as a WebSocket, once it is one.
  void enter(upgrade const& granted) noexcept {
    if (!life_.is(phase::open)) return;
    alone([&] {
      if (what_ == service::echo) return out_.push(make_packet(encode_echo_greeting()));
      recipient& self = *this;
      member_.emplace(shard_.rooms.audience_of(*granted.room), self, granted.to.wishes);
    });
  }

  /// The room has not greeted it yet. What it says before that waits in the kernel.
  bool awaits_greeting() const { return member_ && !greeted_; }

  /// Does not read until then, or until something happens: the room tells it something, or it is to end.
  awaitable<void> pause(clock::time_point until) {
    timer rest(socket().get_executor(), until);
    pausing_ = &rest;
    liveness_.reading(false);
    co_await rest.async_wait(nothrow);
    liveness_.reading(true);
    pausing_ = nullptr;
  }

  awaitable<void> run(std::shared_ptr<session>) {
    try {
      if (life_.is(phase::closing)) out_.seal(life_.reason()->frame);
      if (!ended_) co_await read_loop();
    } catch (...) {
      failed(std::current_exception());
    }
    if (peer_may_still_send()) life_.wrong_frame();
    leave();
    out_.close();
    if (life_.is(phase::lingering)) co_await linger(socket());
    close_socket();
  }

  std::size_t backlog() const override { return out_.waiting_bytes(); }

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
      go_on();
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
    shard_.report(why);
    life_.say(farewells::failed);
    out_.close(farewells::failed.frame);
    close_socket();
  }

 private:
  using phase = life_cycle::phase;

  awaitable<void> read_loop() {
    for (;;) {
      auto const [ec, bytes] = co_await stream_.async_read_some(input_, idle_input_capacity, nothrow);
      ended_ = ec;
      if (!ended_ && (!stream_.is_message_done() || must_wait())) co_await read_on();
      if (ended_) co_return;
      liveness_.heard();
      std::uint64_t cost = 1;
      if (auto rare = hear()) cost = co_await obey(std::move(rare));
      release_input();
      auto const time = time_to_pause(cost);
      if (time != clock::duration::zero()) co_await pause(clock::now() + time);
    }
  }

  /// What is said goes to the room. What else it asks for is returned, for `obey`; it is not part of this coroutine,
  /// which every idle session has.
  std::unique_ptr<command> hear() {
    auto const op = stream_.got_text() ? opcode::text : opcode::binary;
    ++shard_.tally.messages;
    shard_.tally.bytes_received += input_.size();
    ++messages_;
    bytes_received_ += input_.size();
    if (what_ == service::echo)
      return op == opcode::text ? std::make_unique<command>(say{std::string(received())}) : nullptr;
    // It may have left while it waited.
    if (!member_) return nullptr;
    auto wanted = dialect().decode(op, received());
    if (std::holds_alternative<ignored>(wanted)) return nullptr;
    auto* const message = std::get_if<say>(&wanted);
    if (message == nullptr) return std::make_unique<command>(std::move(wanted));
    member_->say(std::move(message->text), std::move(message->id));
    return nullptr;
  }

  /// Does what is asked for and waits until the answer has gone, so that who does not read answers is not read from
  /// either. Returns how many of the rate limit's tokens it costs.
  awaitable<std::uint64_t> obey(std::unique_ptr<command> wanted) {
    std::uint64_t cost = 1;
    if (auto* const asked = std::get_if<rename>(wanted.get())) {
      member_->rename(std::move(asked->name), std::move(asked->id));
      co_return cost;
    }
    if (std::holds_alternative<unacceptable>(*wanted)) {
      close(farewells::text_only);
      co_return cost;
    }
    if (auto const* const echoed = std::get_if<say>(wanted.get())) {
      out_.push(make_packet(encode_echo(echoed->text)));
    } else if (auto const* const wrong = std::get_if<bad_request>(wanted.get())) {
      out_.push(make_packet(dialect().error(refusal::bad_request, wrong->detail, wrong->id)));
    } else if (auto const* const who = std::get_if<ask_users>(wanted.get())) {
      cost = co_await ask(*who);
    } else if (auto* const past = std::get_if<replay>(wanted.get())) {
      cost = co_await ask(std::move(*past));
    }
    // Who has left meanwhile has got no answer.
    if (member_ || what_ == service::echo) co_await answer_is_gone();
    co_return std::max<std::uint64_t>(cost, 1);
  }

  /// Returns when the answer is pushed, and of how many events of the past it tells.
  awaitable<std::uint64_t> ask(std::variant<ask_users, replay> what) {
    std::optional<std::uint64_t> events;
    answer_ = &events;
    member_->ask(std::move(what));
    while (member_ && !events) co_await pause(clock::time_point::max());
    answer_ = nullptr;
    co_return events.value_or(0);
  }

  awaitable<void> answer_is_gone() {
    liveness_.reading(false);
    co_await out_.async_flush(nothrow);
    liveness_.reading(true);
  }

  /// How long it is too early for the next message, after one that costs so many tokens.
  clock::duration time_to_pause(std::uint64_t cost) {
    if (shard_.options.rate_limit == 0 || !life_.is(phase::open)) return {};
    auto const time = rate_limit_.spend(shard_.options, clock::now(), cost);
    if (time != clock::duration::zero()) ++shard_.tally.pauses;
    return time;
  }

  /// True while the room has enough to do.
  bool must_wait() const { return member_ && member_->must_wait(); }

  /// Reads the rest of a message, part by part: while something comes, the peer lives. For that Beast holds at least
  /// 1.5 KiB ready, too much to wait with while a peer is silent. Then waits until the room takes it.
  awaitable<void> read_on() {
    while (!ended_ && !stream_.is_message_done()) {
      liveness_.heard();
      auto const [ec, bytes] = co_await stream_.async_read_some(input_, 0, nothrow);
      ended_ = ec;
    }
    if (ended_) co_return;
    liveness_.heard();
    while (must_wait()) {
      member_->wait();
      co_await pause(clock::time_point::max());
    }
  }

  void start_writing() override { shard_.tasks.spawn(write_loop(this->shared_from_this())); }

  awaitable<void> write_loop(std::shared_ptr<session>) {
    try {
      while (!out_.empty()) {
        auto const buffers = out_.gather();
        auto const [ec, bytes] = co_await socket().async_write_some(buffers, nothrow);
        out_.consume(bytes);
        shard_.tally.bytes_sent += bytes;
        if (!ec) continue;
        out_.close();
        close_socket();
      }
    } catch (...) {
      failed(std::current_exception());
    }
  }

  outbound_channel& out() override { return out_; }
  dialect_id speaks() const override { return speaks_; }

  void greeted(std::string const& name, std::size_t users) noexcept override {
    greeted_ = true;
    go_on();
    alone([&] {
      name_ = name;
      shard_.log.info("joined",
                      {{"name", name_}, {"room", member_->room().name}, {"address", from_}, {"users", users}});
    });
  }

  void renamed(std::string const& name) noexcept override {
    alone([&] {
      shard_.log.info("renamed", {{"name", name_}, {"room", member_->room().name}, {"address", from_}, {"to", name}});
      name_ = name;
    });
  }

  void not_taken(draft const& wanted) noexcept override {
    alone([&] {
      if (wanted.wants == draft::kind::join) return close(farewells::no_log);
      out_.push(
          make_packet(dialect().error(refusal::unavailable, "The room cannot take this now; try again.", wanted.id)));
    });
  }

  void answered(std::uint64_t events) noexcept override {
    if (answer_ != nullptr) *answer_ = events;
    go_on();
  }

  void unburdened() noexcept override { go_on(); }

  /// If it fails this session ends, and not its room.
  template <class Action>
  void alone(Action act) noexcept {
    try {
      act();
    } catch (...) {
      failed(std::current_exception());
    }
  }

  void leave() noexcept {
    if (!member_) return;
    try {
      left_room_ = std::make_unique<std::string>(member_->room().name);
    } catch (...) {
      shard_.report(std::current_exception());
    }
    member_.reset();
  }

  /// True if Beast closed for a wrong frame. After a close frame of its own the peer is silent, and the server is the
  /// one to close the connection (RFC 6455 section 7.1.1).
  bool peer_may_still_send() const {
    return ended_ != websocket::error::closed &&
           ended_.category() == make_error_code(websocket::error::closed).category();
  }

  ending how_ended() const {
    if (life_.reason() != nullptr) return life_.reason()->what;
    if (peer_may_still_send()) return ending::protocol_error;
    return ended_ == websocket::error::closed ? ending::closed_by_peer : ending::connection_lost;
  }

  void log_end() const {
    auto const room = left_room_ == nullptr ? std::string_view() : std::string_view(*left_room_);
    shard_.log.info("closed", {{"name", name_},
                               {"room", room},
                               {"address", from_},
                               {"dialect", session_kind_names[kind()]},
                               {"duration", clock::now() - opened_},
                               {"messages", messages_},
                               {"received", bytes_received_},
                               {"sent", out_.sent_bytes()},
                               {"ending", ending_names[index_of(how_ended())]},
                               {"reason", why_ended()}});
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
    auto const taken = socket().send(net::buffer(bytes), more ? more_follows : 0, ec);
    shard_.tally.bytes_sent += taken;
    return taken;
  }

  packet_ptr gap_notice(event_range missed) override {
    ++shard_.tally.gaps;
    shard_.tally.skipped += missed.messages;
    return make_packet(dialect().gap(missed));
  }

  std::string_view received() const { return {static_cast<char const*>(input_.cdata().data()), input_.size()}; }

  void release_input() {
    input_.clear();
    if (input_.capacity() > idle_input_capacity) input_.shrink_to_fit();
  }

  std::size_t kind() const {
    static_assert(static_cast<std::size_t>(session_kind::echo) == dialect_count);
    return what_ == service::echo ? static_cast<std::size_t>(session_kind::echo) : index_of(speaks_);
  }

  class dialect const& dialect() const { return shard_.dialects[speaks()]; }

  /// Ends its pause.
  void go_on() noexcept {
    if (pausing_ != nullptr) pausing_->cancel();
  }

  Transport& socket() { return stream_.next_layer().next_layer(); }

  void close_socket() noexcept {
    life_.end();
    go_on();
    error_code ignored;
    socket().close(ignored);
  }

  // First what a push looks at, so that it touches few cache lines of each session.
  shard& shard_;
  life_cycle life_;
  dialect_id const speaks_;
  service const what_;
  bool greeted_ = false;
  websocket::stream<egress<Transport>, false> stream_;
  outbound_channel out_;
  homebound<berth> takes_;
  tcp::endpoint const from_;
  std::optional<member> member_;  ///< of a room, until it leaves
  std::string name_;              ///< in the room, once it is greeted
  std::unique_ptr<std::string const> left_room_;
  clock::time_point const opened_ = clock::now();
  std::uint64_t messages_ = 0;        ///< heard
  std::uint64_t bytes_received_ = 0;  ///< in these
  boost::beast::flat_buffer input_;
  liveness liveness_;
  rate_limit rate_limit_;
  timer* pausing_ = nullptr;                        ///< while it does
  std::optional<std::uint64_t>* answer_ = nullptr;  ///< while it waits for one
  error_code ended_;                                ///< how reading ended
};

}  // namespace

template <transport Transport>
awaitable<void> open_session(shard& on, Transport socket, std::unique_ptr<upgrade> granted) {
  auto const opened = std::make_shared<session<Transport>>(on, std::move(socket), *granted);
  co_await opened->accept(std::move(granted->asked));
  opened->enter(*granted);
  if (opened->awaits_greeting()) co_await opened->pause(clock::time_point::max());
  on.tasks.spawn(opened->run(opened));
}

template awaitable<void> open_session(shard&, tcp_socket, std::unique_ptr<upgrade>);
template awaitable<void> open_session(shard&, tls_socket, std::unique_ptr<upgrade>);

}  // namespace chorus
