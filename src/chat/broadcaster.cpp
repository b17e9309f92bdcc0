#include "chat/broadcaster.hpp"

#include <cassert>
#include <range/v3/algorithm/find.hpp>
#include <range/v3/numeric/accumulate.hpp>

namespace chorus {

void broadcaster::add(dialect const& speaks, outbound_channel& out) {
  auto of_dialect = ranges::find(audiences_, &speaks, &audience::speaks);
  if (of_dialect == audiences_.end()) of_dialect = audiences_.insert(of_dialect, {&speaks, {}});
  of_dialect->members.push_back(&out);
}

void broadcaster::remove(dialect const& speaks, outbound_channel& out) {
  auto const of_dialect = ranges::find(audiences_, &speaks, &audience::speaks);
  assert(of_dialect != audiences_.end());
  auto& members = of_dialect->members;
  auto const member = ranges::find(members, &out);
  assert(member != members.end());
  *member = members.back();
  members.pop_back();
}

std::size_t broadcaster::size() const {
  return ranges::accumulate(audiences_, std::size_t{0}, {}, [](audience const& a) { return a.members.size(); });
}

awaitable<void> broadcaster::run(event_log& from) {
  for (;;) {
    auto const events = co_await from.next();
    if (events.empty()) co_return;
    fan_out(events);
  }
}

void broadcaster::fan_out(batch const& events) {
  for (auto const& [speaks, members] : audiences_) {
    if (members.empty()) continue;
    auto const packet = make_packet(speaks->encode(events), {events.front().seq, events.back().seq});
    for (auto* out : members) out->push(packet);
  }
}

}  // namespace chorus
