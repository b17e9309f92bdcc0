#pragma once
// What the whole server does now, gathered from all its threads.

#include <deque>
#include <optional>
#include <vector>

#include "chat/crossing.hpp"
#include "server/admission.hpp"
#include "server/metrics.hpp"
#include "server/shard.hpp"
#include "tls/tls_context.hpp"

namespace chorus {

/// A room at work.
struct room_activity {
  room_reading now;
  shard_id home;
  double messages_per_second;
};

/// Asks each shard on its own thread.
///
/// Owned by the server; the accepting shard's thread only. What it is given outlives it.
class survey {
 public:
  survey(std::deque<shard>& all, admission const& admitted, std::optional<tls_context>& tls);

  bool is_ready() const { return admission_.ready; }
  awaitable<server_reading> read();
  /// Looks twice, a second apart.
  awaitable<std::vector<room_activity>> read_rooms();
  /// Makes a look that waits for its second look take it at once.
  void hurry() { between_looks_.cancel(); }

 private:
  awaitable<std::vector<room_activity>> look_at_rooms();

  std::deque<shard>& shards_;
  admission const& admission_;
  std::optional<tls_context>& tls_;
  timer between_looks_;
};

}  // namespace chorus
