// What users do: the steps that connect, send and leave.

#include "client/script/explain.hpp"
#include "client/script/player.hpp"

namespace chorus::script {

namespace {

std::string describe(connect_result const& result) {
  if (result.status == 0) return "no answer: " + result.what;
  return "HTTP status " + std::to_string(result.status);
}

}  // namespace

websocket_url player::url_of(target const& to) const {
  auto url = base_;
  if (!to.path.empty()) url.path = to.path.expand(variables_);
  return url;
}

handshake player::handshake_of(target const& to) const {
  handshake how;
  how.subprotocol = to.subprotocol.expand(variables_);
  how.receive_buffer = to.receive_buffer;
  for (auto const& [name, value] : to.headers) how.headers.emplace_back(name, value.expand(variables_));
  return how;
}

awaitable<player::outcome> player::play(step const& now, connect_user const& what) {
  auto const name = what.user.expand(variables_);
  if (users_.contains(name)) throw script_error(what.user.where(), "'" + name + "' is connected already");
  auto const who = std::make_shared<user>(executor_, name, record_);
  auto url = url_of(what.to);
  auto how = handshake_of(what.to);
  auto const result = co_await who->connect(std::move(url), std::move(how), now.deadline);
  if (!result.ok()) {
    diagnostic wrong{now.where, name + " could not connect", {{"expected", "HTTP status 101"}}};
    wrong.notes.emplace_back("came", describe(result));
    co_return wrong;
  }
  ++connected_;
  users_.emplace(name, who);
  tasks_.spawn(read_all(who));
  co_return std::nullopt;
}

awaitable<player::outcome> player::play(step const& now, expect_refused const& what) {
  user who(executor_, {}, record_);
  auto url = url_of(what.to);
  auto how = handshake_of(what.to);
  auto const result = co_await who.connect(std::move(url), std::move(how), now.deadline);
  if (result.status == what.status && !result.ok()) co_return std::nullopt;
  if (result.ok()) who.drop();
  diagnostic wrong{now.where, "the connection was not refused as expected"};
  wrong.notes.emplace_back("expected", "HTTP status " + std::to_string(what.status));
  wrong.notes.emplace_back("came", describe(result) + (result.ok() ? ", the connection is open" : ""));
  co_return wrong;
}

awaitable<player::outcome> player::play(step const& now, send_message const& what) {
  auto const who = find(what.user);
  message data{what.binary, what.data.expand(variables_)};
  auto const failed = co_await who->send(std::move(data), now.deadline);
  if (failed) co_return cannot(now, *who, "send", failed);
  co_return std::nullopt;
}

awaitable<player::outcome> player::play(step const& now, ping_server const& what) {
  auto const who = find(what.user);
  auto payload = what.payload.expand(variables_);
  auto const failed = co_await who->ping(std::move(payload), now.deadline);
  if (failed) co_return cannot(now, *who, "get a pong for its ping", failed);
  co_return std::nullopt;
}

awaitable<player::outcome> player::play(step const&, set_stalled const& what) {
  auto const who = find(what.user);
  who->stall(what.stalled);
  co_return std::nullopt;
}

awaitable<player::outcome> player::play(step const& now, close_user const& what) {
  auto const who = find(what.user);
  if (who->ending()) co_return cannot(now, *who, "close", error_code());
  auto reason = what.reason.expand(variables_);
  auto const failed = co_await who->close(what.code, std::move(reason), now.deadline);
  if (failed) co_return cannot(now, *who, "close", failed);
  users_.erase(who->name());
  co_return std::nullopt;
}

awaitable<player::outcome> player::play(step const&, drop_user const& what) {
  auto const who = find(what.user);
  who->drop();
  users_.erase(who->name());
  co_return std::nullopt;
}

}  // namespace chorus::script
