#pragma once
// What a user sees and says, whichever dialect the server speaks, across any number of connections.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/conversation/event_stream.hpp"
#include "client/conversation/identity.hpp"
#include "client/conversation/outbox.hpp"
#include "client/own_messages.hpp"

namespace chorus {

/// A line for the user.
struct shown_line {
  enum class kind {
    message,      ///< somebody's
    own_message,  ///< the user's own
    text,         ///< from a server that says nothing about it
    notice,       ///< what happens besides
  } what;
  std::string name;  ///< of a message: whose it is
  std::string text;
};

/// What is to be done now.
struct reaction {
  std::vector<shown_line> show;
  std::vector<std::string> send;  ///< text messages, in order
  bool leave = false;             ///< when they are sent
};

/// Decides; whoever owns it connects, sends and shows. In chorus.v1 it knows its own name, goes on after a reconnect
/// where it was, and sends what did not arrive, once. A line is sent again only when the room cannot hear it twice:
/// - the stream has caught up (an answer to `users` says so), and its id was not in it;
/// - the old connection is no member any more, so that nothing comes out of it later;
/// - nothing was lost in which it may have been; else the user is told that nobody knows.
/// In another epoch the room has forgotten everything, so a line without an echo is sent again. A room in which
/// presence is not announced does not tell who is there: then the second condition cannot be seen, and the user is
/// told. Without a subprotocol there are no ids: only lines that were never sent are sent later. Pure: no input, no
/// output, no clock.
class conversation {
 public:
  /// `id_prefix` as for an outbox: random.
  explicit conversation(std::string id_prefix) : outbox_(std::move(id_prefix)) {}

  /// The path to connect to, with what resumes the conversation in place of what the user's `path` says.
  std::string resume(std::string path) const;

  reaction opened(std::string_view subprotocol);
  reaction received(std::string_view message);
  reaction typed(std::string const& line);
  void lost();

  /// Lines that were typed and never sent.
  std::vector<std::string> unsent() const;

 private:
  enum class phase {
    offline,
    catching_up,  ///< what happened before our joining is still coming
    present,
  };

  // Everything that may come in chorus.v1.
  void apply(v1::welcome const& event);
  void apply(v1::message const& event);
  void apply(v1::joined const& event);
  void apply(v1::left const& event);
  void apply(v1::renamed const& event);
  void apply(v1::gap const& event);
  void apply(v1::replayed const&) {}
  void apply(v1::presence const& event);
  void apply(v1::error const& event);

  void receive_text(std::string_view message);
  void receive_event(v1::server_event event);
  void take_name_back();
  void settle_if_certain(bool presence_is_told);
  void settle();
  void say(std::string text);
  void send_waiting();
  void command(std::string_view name, std::string_view argument);
  void notice(std::string text);

  bool is_present() const { return phase_ == phase::present; }

  phase phase_ = phase::offline;
  bool is_settled_ = false;  ///< nothing that was sent over an old connection can still arrive: lines may be sent
  bool speaks_json_ = false;
  event_stream stream_;
  outbox outbox_;
  identity identity_;
  own_messages own_texts_;  ///< for a server without the subprotocol
  reaction now_;            ///< what the public function under way will return
};

}  // namespace chorus
