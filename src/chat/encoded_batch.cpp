#include "chat/encoded_batch.hpp"

#include <range/v3/algorithm/count_if.hpp>
#include <range/v3/numeric/accumulate.hpp>
#include <span>

namespace chorus {

namespace {

std::uint64_t count_messages(std::span<event const> events) {
  return static_cast<std::uint64_t>(ranges::count_if(events, is_message));
}

packet_ptr encode(std::span<event const> events, dialect const& in) {
  auto bytes = in.encode(events);
  if (bytes.empty()) return nullptr;
  return make_packet(std::move(bytes), {events.front().seq, events.back().seq, count_messages(events)});
}

std::size_t size_of(event const& e) { return sizeof(event) + e.name.size() + e.text.size() + e.id.size(); }

std::size_t size_of(packet_ptr const& p) { return p ? sizeof(packet) + p->bytes.size() : 0; }

}  // namespace

encoded_batch::encoded_batch(batch events, dialect_table const& dialects)
    : events_(std::move(events)),
      messages_(count_messages(events_)),
      dialects_(dialects),
      size_(ranges::accumulate(events_, sizeof(*this), {}, [](auto const& e) { return size_of(e); })) {}

packet_ptr const& encoded_batch::in(dialect_id dialect) {
  auto& here = encoded_[index_of(dialect)];
  if (!here.done) {
    here = {true, encode(events_, dialects_[dialect])};
    size_ += size_of(here.packet);
  }
  return here.packet;
}

packet_ptr encoded_batch::from(std::uint64_t seq, dialect_id dialect) const {
  auto const skipped = seq - first();
  return encode(std::span(events_).subspan(skipped), dialects_[dialect]);
}

}  // namespace chorus
