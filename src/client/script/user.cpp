#include "client/script/user.hpp"

#include <algorithm>
#include <utility>

#include "client/alarm.hpp"

namespace chorus::script {

namespace {

error_code if_in_time(alarm const& deadline, error_code result) {
  return deadline.rung() ? error_code(net::error::timed_out) : result;
}

}  // namespace

user::user(executor ex, std::string name, transcript& record)
    : executor_(ex), name_(std::move(name)), record_(record), link_(ex), changed_(ex), unstalled_(ex) {
  link_.on_pong([this](std::string payload) {
    record_.add(name_, "pong", message{false, payload});
    pongs_.push_back(std::move(payload));
    changed_.set();
  });
}

awaitable<connect_result> user::connect(websocket_url to, handshake asked, clock::duration deadline) {
  alarm const late(executor_, deadline, [this] { link_.drop(); });
  auto result = co_await link_.open(std::move(to), std::move(asked));
  if (late.rung()) {
    result.error = net::error::timed_out;
    result.what = "there was no answer in time";
  }
  subprotocol_ = result.subprotocol;
  if (result.ok())
    record_.add(name_, "connected");
  else
    record_.add(name_, "refused", result.status, message{false, result.what});
  co_return result;
}

awaitable<error_code> user::send(message what, clock::duration deadline) {
  alarm const late(executor_, deadline, [this] { link_.drop(); });
  record_.add(name_, "sent", what);
  error_code result;
  if (what.binary)
    result = co_await link_.send_binary(std::move(what.data));
  else
    result = co_await link_.send_text(std::move(what.data));
  co_return if_in_time(late, result);
}

awaitable<error_code> user::ping(std::string payload, clock::duration deadline) {
  alarm const late(executor_, deadline, [this] { changed_.set(); });
  record_.add(name_, "ping", message{false, payload});
  pongs_.clear();
  auto result = co_await link_.ping(payload);
  while (!result && !ending_ && !late.rung() && std::find(pongs_.begin(), pongs_.end(), payload) == pongs_.end())
    co_await changed_.wait();
  if (ending_ && !result) result = net::error::not_connected;
  co_return if_in_time(late, result);
}

awaitable<error_code> user::close(std::uint16_t code, std::string reason, clock::duration deadline) {
  alarm const late(executor_, deadline, [this] { link_.drop(); });
  closing_ = true;
  stall(false);
  record_.add(name_, "close", code, message{false, reason});
  auto const result = co_await link_.close(code, std::move(reason));
  while (!ending_) co_await changed_.wait();
  co_return if_in_time(late, result);
}

void user::drop() {
  dropped_ = true;
  record_.add(name_, "dropped");
  link_.drop();
  stall(false);
}

void user::stall(bool stalled) {
  if (stalled != stalled_ && !dropped_) record_.add(name_, stalled ? "stalled" : "unstalled");
  stalled_ = stalled;
  if (!stalled) unstalled_.set();
}

awaitable<bool> user::wait_for_anything(clock::duration deadline) {
  alarm const late(executor_, deadline, [this] { changed_.set(); });
  while (inbox_.empty() && !ending_ && !late.rung()) co_await changed_.wait();
  co_return !inbox_.empty() || ending_;
}

void user::take(incoming next) {
  if (next.what == incoming::kind::text || next.what == incoming::kind::binary) {
    inbox_.push_back({next.what == incoming::kind::binary, std::move(next.data)});
    record_.add(name_, "received", inbox_.back());
  } else {
    if (next.what == incoming::kind::closed)
      record_.add(name_, "closed", next.code, message{false, next.data});
    else if (!dropped_ && !closing_)
      record_.add(name_, "lost", message{false, next.data});
    ending_ = std::move(next);
  }
  changed_.set();
}

awaitable<void> read_all(std::shared_ptr<user> from) {
  while (!from->ending_) {
    while (from->stalled_) co_await from->unstalled_.wait();
    auto next = co_await from->link_.receive();
    from->take(std::move(next));
  }
}

std::string describe_ending(incoming const& ending) {
  if (ending.what != incoming::kind::closed) return "the connection was lost: " + ending.data;
  auto const reason = ending.data.empty() ? "" : " " + quote(ending.data);
  if (ending.code == 1005) return "the connection was closed without a code";
  return "the connection was closed with " + std::to_string(ending.code) + reason;
}

}  // namespace chorus::script
