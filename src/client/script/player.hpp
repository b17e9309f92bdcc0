#pragma once
// Plays a script: one step after the other, while one task per user reads what comes.

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/script/report.hpp"
#include "client/script/step.hpp"
#include "client/script/transcript.hpp"
#include "client/script/user.hpp"
#include "support/task_group.hpp"

namespace chorus::script {

/// Owns the users. Executor's thread only. What it is given must outlive `run`.
class player {
 public:
  player(executor ex, websocket_url base, handshake request, transcript& record, reporter& report);

  /// Plays until a step fails, or to the end; then closes whoever is still connected, and waits for all tasks. True if
  /// no step failed. Once.
  awaitable<bool> run(std::vector<step> const& steps);

  /// How many users have connected.
  std::size_t users() const { return connected_; }

 private:
  using outcome = std::optional<diagnostic>;  ///< what went wrong, if anything did
  using user_ptr = std::shared_ptr<user>;

  awaitable<bool> play_all(std::vector<step> const& steps);
  awaitable<bool> play_repeat(step const& now);
  awaitable<bool> play_one(step const& now);
  awaitable<void> close_all();

  awaitable<outcome> play(step const& now);
  awaitable<outcome> connect(step const& now);
  awaitable<outcome> send(step const& now);
  awaitable<outcome> ping(step const& now);
  awaitable<outcome> close(step const& now);
  awaitable<outcome> drop(step const& now);
  awaitable<outcome> stall(step const& now);
  awaitable<outcome> expect_messages(step const& now);
  awaitable<outcome> expect_subprotocol(step const& now);
  awaitable<outcome> expect_close(step const& now);
  awaitable<outcome> expect_refused(step const& now);
  awaitable<outcome> expect_silence(step const& now);

  user_ptr find(text const& name) const;
  websocket_url url_of(target const& to) const;
  handshake handshake_of(target const& to) const;
  std::string counters() const;

  executor executor_;
  websocket_url base_;
  handshake request_;
  transcript& record_;
  reporter& report_;
  variables variables_;
  std::vector<std::pair<std::string, std::size_t>> repeats_;  ///< counters and their values, outermost first
  std::map<std::string, user_ptr> users_;
  std::size_t connected_ = 0;
  std::exception_ptr bug_;
  task_group tasks_;
};

}  // namespace chorus::script
