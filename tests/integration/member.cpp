#include "member.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <utility>

namespace chorus::test {

namespace json = boost::json;

std::uint64_t number(json::object const& o, std::string_view field) { return o.at(field).to_number<std::uint64_t>(); }

std::string text(json::object const& o, std::string_view field) { return std::string(o.at(field).as_string()); }

member::member(std::uint16_t port, std::string_view path, int receive_buffer) : socket_(port, receive_buffer) {
  auto const head = socket_.upgrade(path, "Sec-WebSocket-Protocol: chorus.v1\r\n");
  if (head.find("\r\nSec-WebSocket-Protocol: chorus.v1\r\n") == std::string::npos)
    throw std::runtime_error("no chorus.v1, but: " + head);
  welcome_ = json::parse(socket_.receive_text()).as_object();
  if (text(welcome_, "type") != "welcome") throw std::runtime_error("the greeting is " + json::serialize(welcome_));
  last_ = number(welcome_, "seq");
  first_ = last_ + 1;
}

std::string member::name() const { return text(welcome_, "name"); }

std::string member::cursor() const { return std::to_string(number(welcome_, "epoch")) + ":" + std::to_string(last_); }

void member::say(std::string_view what) { send(json::serialize(json::object{{"type", "say"}, {"text", what}})); }

json::object member::receive() {
  auto const line = socket_.receive_text();
  auto received = json::parse(line).as_object();
  take(received, line);
  return received;
}

json::object member::receive(std::string_view type) {
  for (;;) {
    auto received = receive();
    if (text(received, "type") == type) return received;
  }
}

void member::catch_up(std::uint64_t seq) {
  while (last_ < seq) receive();
}

void member::fill_gaps() {
  while (!gaps_.empty()) {
    auto const [from, to] = *gaps_.begin();
    replay_next_ = from;
    send(json::serialize(json::object{{"type", "replay"}, {"from", from}, {"to", to}}));
    auto const answer = receive("replayed");
    auto const covered = number(answer, "to");
    if (number(answer, "from") != from || covered < from || covered > to || replay_next_ != covered + 1)
      throw std::runtime_error("a replay that does not cover what it says: " + json::serialize(answer));
    replay_next_ = 0;
    gaps_.erase(from);
    if (covered != to) gaps_[covered + 1] = to;
  }
}

void member::take(json::object const& o, std::string const& line) {
  auto const type = text(o, "type");
  if (type == "gap") {
    take_gap(number(o, "from"), number(o, "to"));
  } else if (type == "message" || type == "joined" || type == "left" || type == "renamed") {
    take_event(number(o, "seq"), line);
  }
}

void member::take_event(std::uint64_t seq, std::string const& line) {
  auto& due = replay_next_ != 0 && seq <= last_ ? replay_next_ : last_;
  auto const next = &due == &last_ ? last_ + 1 : replay_next_;
  if (seq != next) throw std::runtime_error("due was event " + std::to_string(next) + ", but got " + line);
  due = &due == &last_ ? seq : seq + 1;
  events_[seq] = line;
}

void member::take_gap(std::uint64_t from, std::uint64_t to) {
  if (from != last_ + 1 || to < from)
    throw std::runtime_error("after event " + std::to_string(last_) + " a gap from " + std::to_string(from) + " to " +
                             std::to_string(to));
  gaps_[from] = to;
  last_ = to;
}

}  // namespace chorus::test
