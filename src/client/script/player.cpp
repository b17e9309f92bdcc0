#include "client/script/player.hpp"

#include <stdexcept>

#include "client/script/explain.hpp"

namespace chorus::script {

namespace {

constexpr auto farewell_deadline = std::chrono::seconds(2);

awaitable<void> close_quietly(std::shared_ptr<user> who) {
  if (who->ending()) co_return;
  auto const ignored = co_await who->close(normal_closure, {}, farewell_deadline);
  (void)ignored;
}

}  // namespace

player::player(executor ex, websocket_url base, handshake request, transcript& record, reporter& report)
    : executor_(ex),
      base_(std::move(base)),
      request_(std::move(request)),
      record_(record),
      report_(report),
      tasks_(ex, [this](std::exception_ptr e) { bug_ = e; }) {}

awaitable<bool> player::run(std::vector<step> const& steps) {
  auto held = false;
  try {
    held = co_await play_all(steps);
  } catch (...) {
    bug_ = std::current_exception();
  }
  co_await close_all();
  if (bug_) std::rethrow_exception(bug_);
  co_return held;
}

awaitable<void> player::close_all() {
  for (auto const& [name, who] : users_) tasks_.spawn(close_quietly(who));
  co_await tasks_.join();
}

awaitable<bool> player::play_all(std::vector<step> const& steps) {
  for (auto const& now : steps) {
    auto held = false;
    if (now.what == verb::repeat)
      held = co_await play_repeat(now);
    else
      held = co_await play_one(now);
    if (!held) co_return false;
  }
  co_return true;
}

awaitable<bool> player::play_repeat(step const& now) {
  auto const outer =
      variables_.find(now.counter) == variables_.end() ? std::nullopt : std::optional(variables_[now.counter]);
  auto held = true;
  for (std::size_t i = 0; held && i < now.times; ++i) {
    variables_[now.counter] = std::to_string(i);
    repeats_.emplace_back(now.counter, i);
    held = co_await play_all(now.body);
    repeats_.pop_back();
  }
  variables_.erase(now.counter);
  if (outer) variables_[now.counter] = *outer;
  co_return held;
}

awaitable<bool> player::play_one(step const& now) {
  outcome wrong;
  try {
    wrong = co_await play(now);
  } catch (script_error const& error) {
    wrong = error.details();
  }
  if (wrong)
    report_.failed(now, counters(), std::move(*wrong));
  else
    report_.passed(now, counters());
  co_return !wrong;
}

awaitable<player::outcome> player::play(step const& now) {
  switch (now.what) {
    case verb::connect: return connect(now);
    case verb::send:
    case verb::send_binary: return send(now);
    case verb::ping: return ping(now);
    case verb::expect:
    case verb::expect_eventually: return expect_messages(now);
    case verb::expect_subprotocol: return expect_subprotocol(now);
    case verb::expect_close: return expect_close(now);
    case verb::expect_refused: return expect_refused(now);
    case verb::silence: return expect_silence(now);
    case verb::stall:
    case verb::unstall: return stall(now);
    case verb::close: return close(now);
    case verb::drop: return drop(now);
    case verb::repeat: break;
  }
  throw std::logic_error("a repeat is played step by step");
}

player::user_ptr player::find(text const& name) const {
  auto const who = name.expand(variables_);
  auto const found = users_.find(who);
  if (found == users_.end()) throw script_error(name.where(), "nobody is connected as '" + who + "' now");
  return found->second;
}

std::string player::counters() const {
  std::string all;
  for (auto const& [name, value] : repeats_) all += (all.empty() ? "$" : ", $") + name + " = " + std::to_string(value);
  return all;
}

}  // namespace chorus::script
