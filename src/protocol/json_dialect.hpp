#pragma once
// The dialect for programs, spoken when a client offers the subprotocol `chorus.v1`: one JSON object per text message.
// docs/protocol.md describes it with examples.

#include <string_view>

#include "protocol/dialect.hpp"

namespace chorus {

/// Events and commands have a `type`; unknown further fields of a command are ignored. Binary messages are not taken.
class json_dialect final : public dialect {
 public:
  static constexpr std::string_view subprotocol = subprotocols[index_of(dialect_id::json)];

  std::string greeting(welcome const& to) const override;
  std::string encode(std::span<event const> events) const override;
  std::string gap(event_range const& missed) const override;
  std::string users(std::size_t count, std::vector<std::string> const* names) const override;
  std::string replayed(std::uint64_t from, std::uint64_t to) const override;
  std::string error(refusal why, std::string_view detail, std::string_view id) const override;
  command decode(opcode op, std::string_view payload) const override;
};

}  // namespace chorus
