#pragma once
// The tutorial's dialect, spoken when a client asks for no subprotocol: plain text, one line of meaning per message.

#include "protocol/dialect.hpp"

namespace chorus {

/// - greeting `You are connected! There are {N} users here.`
/// - message `[{from}]: {text}`; joins, leaves and renames are silent
/// - gap `[chorus]: {n} messages skipped`; what else is missing is not told
/// - error `[chorus]: {detail}`
/// - every text message is said, binary messages are ignored
class text_dialect final : public dialect {
 public:
  std::string greeting(welcome const& to) const override;
  std::string encode(std::span<event const> events) const override;
  std::string gap(event_range const& missed) const override;
  std::string users(std::size_t, std::vector<std::string> const*) const override { return {}; }
  std::string replayed(std::uint64_t, std::uint64_t) const override { return {}; }
  std::string error(refusal why, std::string_view detail, std::string_view id) const override;
  command decode(opcode op, std::string_view payload) const override;
};

/// What `/echo` says, in the same dialect: `You are connected!`, then `You said: {text}`.
std::string encode_echo_greeting();
std::string encode_echo(std::string_view text);

}  // namespace chorus
