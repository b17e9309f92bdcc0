#pragma once
// A client that speaks chorus.v1 and holds the server to its word: nothing twice, nothing out of order, nothing missing
// that was not named.

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "client.hpp"

namespace chorus::test {

/// Functions throw `std::runtime_error` when the server breaks the protocol. Above the announce limit it cannot judge:
/// then there are events that nobody is told of.
class member {
 public:
  /// Joins by `path`, such as `/chat/den?name=al`, and reads its welcome.
  member(std::uint16_t port, std::string_view path, int receive_buffer = 0);

  boost::json::object const& welcome() const { return welcome_; }
  std::string name() const;
  /// Where it stands, as `since` takes it.
  std::string cursor() const;
  /// The events that it has, by their `seq`, as they came.
  std::map<std::uint64_t, std::string> const& events() const { return events_; }
  /// The last event that it has been told of, or told that it misses.
  std::uint64_t last() const { return last_; }
  /// The first event of its stream, and of the gaps in it those that are not filled.
  std::uint64_t first() const { return first_; }
  std::map<std::uint64_t, std::uint64_t> const& gaps() const { return gaps_; }

  void send(std::string_view command) { socket_.send_text(command); }
  void say(std::string_view text);
  /// The next object, and what it does to all the above.
  boost::json::object receive();
  /// Receives until there is an object of that type, and returns it.
  boost::json::object receive(std::string_view type);
  /// Receives until it has the event.
  void catch_up(std::uint64_t seq);
  /// Asks for what it missed, until all of it is there.
  void fill_gaps();

  client& socket() { return socket_; }

 private:
  void take(boost::json::object const& o, std::string const& text);
  void take_event(std::uint64_t seq, std::string const& text);
  void take_gap(std::uint64_t from, std::uint64_t to);

  client socket_;
  boost::json::object welcome_;
  std::map<std::uint64_t, std::string> events_;
  std::map<std::uint64_t, std::uint64_t> gaps_;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t replay_next_ = 0;  ///< of a replay that is being answered, the next event; 0 is none
};

std::uint64_t number(boost::json::object const& o, std::string_view field);
std::string text(boost::json::object const& o, std::string_view field);

}  // namespace chorus::test
