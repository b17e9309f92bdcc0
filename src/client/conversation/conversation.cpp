#include "client/conversation/conversation.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/trim.hpp>
#include <fmt/format.h>
#include <utility>

#include "client/conversation/commands.hpp"
#include "client/query.hpp"
#include "protocol/json_dialect.hpp"

namespace chorus {

namespace {

constexpr char const* help[] = {
    "/users        who is here",
    "/nick NAME    take another name",
    "/quit         leave, as 'exit' and Ctrl-D do",
    "//TEXT        say '/TEXT'",
};

}  // namespace

std::string conversation::resume(std::string path) const {
  if (auto const name = identity_.wanted(); !name.empty()) path = with_parameter(path, "name", name);
  if (auto const cursor = stream_.cursor(); !cursor.empty()) path = with_parameter(path, "since", cursor);
  return path;
}

reaction conversation::opened(std::string_view subprotocol) {
  speaks_json_ = subprotocol == json_dialect::subprotocol;
  if (!speaks_json_) {
    own_texts_ = {};
    outbox_.doubt();
    phase_ = phase::present;
    settle();
  }
  return std::exchange(now_, {});
}

reaction conversation::received(std::string_view message) {
  if (!speaks_json_)
    receive_text(message);
  else if (auto event = v1::parse_server_event(message))
    receive_event(std::move(*event));
  return std::exchange(now_, {});
}

reaction conversation::typed(std::string const& line) {
  if (boost::algorithm::iequals(line, "exit")) {
    now_.leave = true;
  } else if (line.starts_with("//")) {
    say(line.substr(1));
  } else if (line.starts_with('/')) {
    auto const name = line.substr(0, line.find_first_of(" \t"));
    command(name, boost::algorithm::trim_copy(line.substr(name.size())));
  } else if (!line.empty()) {
    say(line);
  }
  return std::exchange(now_, {});
}

void conversation::lost() {
  // Otherwise what is without an echo was sent over a connection before this one.
  if (is_settled_) identity_.lost();
  phase_ = phase::offline;
  is_settled_ = false;
  stream_.interrupt();
}

std::vector<std::string> conversation::unsent() const {
  std::vector<std::string> texts;
  for (auto const& line : outbox_.lines())
    if (line.state == outbox::line::state::waiting) texts.push_back(line.text);
  return texts;
}

void conversation::receive_text(std::string_view message) {
  own_texts_.came_back(message);
  using kind = shown_line::kind;
  auto const label = parse_label(message);
  if (!label) return now_.show.push_back({kind::text, {}, std::string(message)});
  auto const what = label->name == own_texts_.name() ? kind::own_message : kind::message;
  now_.show.push_back({what, std::string(label->name), std::string(label->text)});
}

void conversation::say(std::string text) {
  if (phase_ == phase::offline)
    notice("not connected; to be sent later: " + text);
  else if (!is_settled_)
    notice("to be sent later: " + text);
  outbox_.add(std::move(text));
  if (is_settled_) send_waiting();
}

void conversation::send_waiting() {
  for (auto& line : outbox_.take_waiting()) {
    if (speaks_json_) {
      now_.send.push_back(v1::say(line.text, line.id));
    } else {
      outbox_.take(line.id);
      own_texts_.sent(line.text);
      now_.send.push_back(std::move(line.text));
    }
  }
}

void conversation::command(std::string_view name, std::string_view argument) {
  if (name == "/quit") {
    now_.leave = true;
  } else if (name == "/help") {
    for (auto const* line : help) notice(line);
  } else if (name != "/users" && name != "/nick") {
    notice(fmt::format("there is no {0}: /help tells what there is, and /{0} says '{0}'", name));
  } else if (is_present() && !speaks_json_) {
    notice(fmt::format("this server knows no {}", name));
  } else if (!is_present()) {
    notice("not connected");
  } else if (name == "/users") {
    now_.send.push_back(v1::ask_users());
  } else if (argument.empty()) {
    notice("/nick needs a name, as in: /nick bob");
  } else {
    identity_.rename_asked();
    now_.send.push_back(v1::rename(argument));
  }
}

void conversation::notice(std::string text) { now_.show.push_back({shown_line::kind::notice, {}, std::move(text)}); }

}  // namespace chorus
