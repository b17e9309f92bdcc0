#include "bench/probe.hpp"

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>
#include <utility>

#include "bench/check_failed.hpp"
#include "bench/handshake.hpp"

namespace chorus::bench {

namespace {

using namespace std::chrono_literals;
namespace http = boost::beast::http;

constexpr auto interval = 1ms;

std::string named(std::exception const& e) { return fmt::format("the probe: {}", e.what()); }

}  // namespace

probe::probe(target const& to, std::chrono::milliseconds patience) : patience_(patience) {
  try {
    shake_hands(to);
  } catch (check_failed const& e) {
    throw check_failed(named(e));
  }
  thread_ = std::jthread([this] { ping_until_the_end(); });
}

probe::~probe() { socket_.interrupt(); }

void probe::throw_if_failed() const {
  std::lock_guard const lock(mutex_);
  if (!failure_.empty()) throw check_failed(failure_);
}

std::uint64_t probe::answered() const {
  std::lock_guard const lock(mutex_);
  return answered_;
}

clock::duration probe::take_longest_silence() {
  std::lock_guard const lock(mutex_);
  return std::exchange(longest_, clock::duration::zero());
}

void probe::shake_hands(target const& to) {
  auto const deadline = clock::now() + patience_;
  socket_.connect(to.endpoint, deadline);
  if (to.tls) socket_.secure(*to.tls, to.url.host, deadline);
  socket_.send(upgrade_request(to), deadline);
  http::response_parser<http::empty_body> parser;
  while (!parser.is_header_done()) {
    auto const in_time = receive(deadline);
    if (!in_time) throw check_failed("no HTTP response came in time");
    error_code ec;
    input_.consume(parser.put(input_.cdata(), ec));
    if (ec && ec != http::error::need_more) throw check_failed("that is no HTTP response: " + ec.message());
  }
  check_upgraded(parser.get(), to);
}

void probe::ping_until_the_end() {
  try {
    for (;;) ping_once();
  } catch (std::exception const& e) {
    std::lock_guard const lock(mutex_);
    failure_ = named(e);
  }
}

void probe::ping_once() {
  // Only this thread changes the count.
  auto const number = std::to_string(answered_);
  auto const sent = clock::now();
  send(opcode::ping, number);
  auto const came = read_for_pong(number, sent + patience_);
  if (!came) throw check_failed("no pong came in time");
  record(last_arrival_ - sent);
  // Whoever does not read is soon a slow peer.
  while (read_for_pong(number, sent + interval)) continue;
}

void probe::record(clock::duration silence) {
  std::lock_guard const lock(mutex_);
  longest_ = std::max(longest_, silence);
  ++answered_;
}

/// Returns true when the pong with that payload has come, false at the deadline.
bool probe::read_for_pong(std::string_view awaited, clock::time_point deadline) {
  for (;;) {
    while (auto const frame = parse_frame({static_cast<char const*>(input_.cdata().data()), input_.size()})) {
      auto const is_it = consume(*frame, awaited);
      input_.consume(frame->size);
      if (is_it) return true;
    }
    auto const in_time = receive(deadline);
    if (!in_time) return false;
  }
}

bool probe::consume(server_frame const& frame, std::string_view awaited) {
  switch (frame.op) {
    case opcode::pong: return frame.payload == awaited;
    case opcode::ping: send(opcode::pong, frame.payload); return false;
    case opcode::close:
      throw check_failed(fmt::format("the server closed the connection with code {}", close_code_of(frame)));
    default: return false;
  }
}

bool probe::receive(clock::time_point deadline) {
  auto const came = socket_.receive(input_.prepare(read_size), deadline);
  if (!came) return false;
  input_.commit(came->bytes);
  last_arrival_ = came->at;
  return true;
}

void probe::send(opcode op, std::string_view payload) {
  std::string bytes;
  append_masked_frame(bytes, op, payload);
  socket_.send(bytes, clock::now() + patience_);
}

}  // namespace chorus::bench
