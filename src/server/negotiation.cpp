#include "server/negotiation.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

#include "server/forwarded.hpp"
#include "server/linger.hpp"
#include "tls/tls_socket.hpp"

namespace chorus {

namespace {

/// The answer to bytes that are no request; nothing where the peer has gone and none makes sense.
std::optional<response> answer_to(error_code ec) {
  if (ec == http::error::end_of_stream || ec == http::error::partial_message) return std::nullopt;
  if (ec == http::error::header_limit)
    return problem(http::status::request_header_fields_too_large, "The request line and headers are too large.");
  if (ec.category() == make_error_code(http::error::bad_method).category())
    return problem(http::status::bad_request, "This is not an HTTP/1.1 request: " + ec.message() + ".");
  return std::nullopt;
}

template <transport Transport>
class negotiation final : public peer {
 public:
  negotiation(admission& to, Transport& socket, tcp::endpoint const& from, capacity::seat& seat,
              clock::time_point deadline)
      : admission_(to), socket_(socket), from_(from), client_(from), seat_(seat), deadline_(deadline) {
    admission_.waiting.push_back(*this);
  }

  awaitable<std::unique_ptr<upgrade>> run() {
    std::unique_ptr<upgrade> granted;
    while (phase_ != phase::ended && !granted) granted = co_await exchange();
    // Over TLS the peer is told.
    if (!granted) close_socket();
    co_return granted;
  }

  void tick(clock::time_point now) override {
    if (now < deadline_) return;
    if (phase_ != phase::waiting) return close_socket();
    arm();
    phase_ = phase::timed_out;
    end_waiting();
  }

  void close(farewell const&) override {
    if (phase_ == phase::waiting) end_waiting();
    if (phase_ == phase::lingering) close_socket();
  }

  void abort(farewell const&) override { close_socket(); }

  void failed(std::exception_ptr why) noexcept override {
    admission_.at.report(why);
    close_socket();
  }

 private:
  /// A connection waits for a request and answers it, time and again; after its last answer it lingers.
  enum class phase { waiting, timed_out, answering, lingering, ended };

  /// One request, and its answer unless it is granted a WebSocket.
  awaitable<std::unique_ptr<upgrade>> exchange() {
    request_parser reader;
    reader.header_limit(static_cast<std::uint32_t>(options().max_header_size));
    phase_ = phase::waiting;
    auto const [ec, bytes] = co_await http::async_read_header(socket_, buffer_, reader, nothrow);
    if (ec) {
      co_await refuse(ec, reader.got_some() || buffer_.size() != 0);
      co_return nullptr;
    }
    phase_ = phase::answering;
    auto decision = decide(reader);
    if (auto* const granted = std::get_if<std::unique_ptr<upgrade>>(&decision)) co_return std::move(*granted);

    auto& answer = std::get<response>(decision);
    fit(answer, reader, admission_.draining || ++answered_ == max_requests);
    co_await send(std::move(answer), &reader.get());
    co_return nullptr;
  }

  std::variant<std::unique_ptr<upgrade>, response> decide(request_parser& reader) {
    // A proxy may use one connection for several clients.
    client_ = client_of(from_, reader.get(), options().trusted_proxies);
    auto const full = !admission_.seats.admits(client_.address());
    auto decision = route(reader.get(), {admission_.ready, admission_.draining, full, options()});
    if (auto* const answer = std::get_if<response>(&decision)) {
      refused(answer->result(), full);
      return std::move(*answer);
    }
    // RFC 6455 section 4.1: the client waits for the response before it sends any further data.
    if (buffer_.size() != 0) return problem(http::status::bad_request, "Data came before the upgrade was answered.");
    auto& to = std::get<destination>(decision);
    auto place = to.what == service::chat ? admission_.rooms.take_seat(to.wishes.room) : admission_.rooms.take_seat();
    if (!place) {
      ++admission_.tally.refused["rooms"];
      return unavailable("There are as many rooms as the server takes, and somebody is in each.");
    }
    auto const shard = place->shard();
    auto room = place->room();
    if (client_ != from_) seat_.move_to(client_.address());
    seat_.become_session();
    return std::make_unique<upgrade>(upgrade{
        reader.release(),
        std::move(to),
        client_,
        shard,
        std::move(room),
        {socket_.get_executor(), berth{std::move(seat_), std::move(*place)}},
    });
  }

  void refused(http::status why, bool full) {
    auto& count = admission_.tally.refused;
    if (why == http::status::forbidden) ++count["origin"];
    if (why == http::status::service_unavailable) ++count[!full || admission_.draining ? "draining" : "capacity"];
  }

  awaitable<void> refuse(error_code ec, bool request_begun) {
    auto answer = answer_to(ec);
    if (phase_ == phase::timed_out && request_begun)
      answer = problem(http::status::request_timeout, "The request was not complete in time.");
    phase_ = phase::ended;
    if (!answer) co_return;
    answer->keep_alive(false);
    co_await send(std::move(*answer), nullptr);
  }

  /// What is asked is null if it was no request.
  awaitable<void> send(response answer, request const* asked) {
    ++admission_.tally.answers[answer.result_int()];
    auto const begun = clock::now();
    auto const [ec, bytes] = co_await http::async_write(socket_, answer, nothrow);
    log(answer.result_int(), asked, clock::now() - begun);
    arm();
    if (!ec && answer.keep_alive() && !admission_.draining) co_return;
    if (!ec && !admission_.draining) {
      phase_ = phase::lingering;
      co_await linger(socket_);
    }
    phase_ = phase::ended;
  }

  /// Refusals are what operators look for; the rest is mostly those who ask every second how the server is.
  void log(unsigned status, request const* asked, clock::duration time) {
    std::string_view method, target;
    if (asked != nullptr) {
      method = asked->method_string();
      target = asked->target();
    }
    auto& to = admission_.at.log;
    if (status < 400) {
      to.debug("answered",
               {{"method", method}, {"target", target}, {"address", client_}, {"status", status}, {"duration", time}});
    } else {
      to.info("refused",
              {{"method", method}, {"target", target}, {"address", client_}, {"status", status}, {"duration", time}});
    }
  }

  settings const& options() const { return admission_.at.options; }

  /// The time begins anew.
  void arm() {
    deadline_ = admission_.deadline();
    if (is_linked()) unlink();
    admission_.waiting.push_back(*this);
  }

  void end_waiting() {
    error_code ignored;
    socket_.cancel(ignored);
  }

  void close_socket() {
    error_code ignored;
    socket_.close(ignored);
  }

  admission& admission_;
  Transport& socket_;
  tcp::endpoint const& from_;
  tcp::endpoint client_;  ///< of the last request: `from_`, or whom it speaks for
  capacity::seat& seat_;
  boost::beast::flat_buffer buffer_;
  clock::time_point deadline_;
  phase phase_ = phase::waiting;
  int answered_ = 0;
};

}  // namespace

template <transport Transport>
awaitable<std::unique_ptr<upgrade>> negotiate(admission& to, Transport& socket, tcp::endpoint const& from,
                                              capacity::seat& seat, clock::time_point deadline) {
  negotiation<Transport> phase(to, socket, from, seat, deadline);
  co_return co_await phase.run();
}

template awaitable<std::unique_ptr<upgrade>> negotiate(admission&, tcp_socket&, tcp::endpoint const&, capacity::seat&,
                                                       clock::time_point);
template awaitable<std::unique_ptr<upgrade>> negotiate(admission&, tls_socket&, tcp::endpoint const&, capacity::seat&,
                                                       clock::time_point);

}  // namespace chorus
