#pragma once
// The tutorial's dialect, spoken when a client asks for no subprotocol: plain text, one line of meaning per message.

#include "protocol/dialect.hpp"

namespace chorus {

/// - greeting `You are connected! There are {N} users here.`
/// - message `[{from}]: {text}`
/// - gap `[chorus]: {n} messages skipped`
/// - every text message is said, binary messages are ignored
class text_dialect final : public dialect {
 public:
  std::string greeting(std::size_t users) const override;
  std::string encode(std::span<event const> events) const override;
  std::string gap(std::uint64_t first, std::uint64_t last) const override;
  std::optional<std::string> decode(opcode op, std::string_view payload) const override;
};

/// What `/echo` says, in the same dialect: `You are connected!`, then `You said: {text}`.
std::string encode_echo_greeting();
std::string encode_echo(std::string_view text);

}  // namespace chorus
