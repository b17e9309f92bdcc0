// What users do: the steps that connect, send and leave.

#include <boost/json/serialize.hpp>

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
  auto asked = request_;
  asked.subprotocol = to.subprotocol.expand(variables_);
  asked.receive_buffer = to.receive_buffer;
  for (auto const& [name, value] : to.headers) asked.headers.emplace_back(name, value.expand(variables_));
  return asked;
}

awaitable<player::outcome> player::connect(step const& now) {
  auto const name = now.user.expand(variables_);
  if (users_.contains(name)) throw script_error(now.user.where(), "'" + name + "' is connected already");
  auto const who = std::make_shared<user>(executor_, name, record_);
  auto url = url_of(now.to);
  auto asked = handshake_of(now.to);
  auto const result = co_await who->connect(std::move(url), std::move(asked), now.deadline);
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

awaitable<player::outcome> player::expect_refused(step const& now) {
  user who(executor_, {}, record_);
  auto url = url_of(now.to);
  auto asked = handshake_of(now.to);
  auto const result = co_await who.connect(std::move(url), std::move(asked), now.deadline);
  if (result.status == now.code && !result.ok()) co_return std::nullopt;
  if (result.ok()) who.drop();
  diagnostic wrong{now.where, "the connection was not refused as expected"};
  wrong.notes.emplace_back("expected", "HTTP status " + std::to_string(now.code));
  wrong.notes.emplace_back("came", describe(result) + (result.ok() ? ", the connection is open" : ""));
  co_return wrong;
}

awaitable<player::outcome> player::send(step const& now) {
  auto const who = find(now.user);
  message data{now.what == verb::send_binary, {}};
  data.data = now.json ? boost::json::serialize(expand(*now.json, variables_)) : now.data.expand(variables_);
  auto const failed = co_await who->send(std::move(data), now.deadline);
  if (failed) co_return cannot(now, *who, "send", failed);
  co_return std::nullopt;
}

awaitable<player::outcome> player::ping(step const& now) {
  auto const who = find(now.user);
  auto payload = now.data.expand(variables_);
  auto const failed = co_await who->ping(std::move(payload), now.deadline);
  if (failed) co_return cannot(now, *who, "get a pong for its ping", failed);
  co_return std::nullopt;
}

awaitable<player::outcome> player::stall(step const& now) {
  auto const who = find(now.user);
  who->stall(now.what == verb::stall);
  co_return std::nullopt;
}

awaitable<player::outcome> player::close(step const& now) {
  auto const who = find(now.user);
  if (who->ending()) co_return cannot(now, *who, "close", error_code());
  auto reason = now.reason.value_or(text()).expand(variables_);
  auto const failed = co_await who->close(static_cast<std::uint16_t>(now.code), std::move(reason), now.deadline);
  if (failed) co_return cannot(now, *who, "close", failed);
  users_.erase(who->name());
  co_return std::nullopt;
}

awaitable<player::outcome> player::drop(step const& now) {
  auto const who = find(now.user);
  who->drop();
  users_.erase(who->name());
  co_return std::nullopt;
}

}  // namespace chorus::script
