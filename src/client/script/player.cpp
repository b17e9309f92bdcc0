#include "client/script/player.hpp"

#include "client/script/explain.hpp"

namespace chorus::script {

namespace {

constexpr auto farewell_deadline = std::chrono::seconds(2);
constexpr std::uint16_t normal_closure = 1000;

awaitable<void> close_quietly(std::shared_ptr<user> who) {
  if (who->ending()) co_return;
  auto const ignored = co_await who->close(normal_closure, {}, farewell_deadline);
  (void)ignored;
}

}  // namespace

player::player(executor ex, websocket_url base, transcript& record, reporter& report)
    : executor_(ex), base_(std::move(base)), record_(record), report_(report), tasks_(ex, [this](std::exception_ptr e) {
        bug_ = e;
      }) {}

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
    auto const* repeat = std::get_if<repeat_steps>(&now.what);
    auto held = false;
    if (repeat)
      held = co_await play_repeat(*repeat);
    else
      held = co_await play_one(now);
    if (!held) co_return false;
  }
  co_return true;
}

awaitable<bool> player::play_repeat(repeat_steps const& what) {
  auto const outer =
      variables_.find(what.counter) == variables_.end() ? std::nullopt : std::optional(variables_[what.counter]);
  auto held = true;
  for (std::size_t i = 0; held && i < what.times; ++i) {
    variables_[what.counter] = std::to_string(i);
    repeats_.emplace_back(what.counter, i);
    held = co_await play_all(what.body);
    repeats_.pop_back();
  }
  variables_.erase(what.counter);
  if (outer) variables_[what.counter] = *outer;
  co_return held;
}

awaitable<bool> player::play_one(step const& now) {
  outcome wrong;
  try {
    auto playing = std::visit([&](auto const& what) { return play(now, what); }, now.what);
    wrong = co_await std::move(playing);
  } catch (script_error const& error) {
    wrong = error.details();
  }
  if (wrong)
    report_.failed(now, counters(), std::move(*wrong));
  else
    report_.passed(now, counters());
  co_return !wrong;
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

awaitable<player::outcome> player::play(step const&, repeat_steps const&) { co_return std::nullopt; }

}  // namespace chorus::script
