#pragma once
// Texts that say which message they are.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chorus::bench {

/// The `number`th message of a sender, both counted from 0.
struct message_id {
  std::uint32_t sender = 0;
  std::uint32_t number = 0;

  friend bool operator==(message_id, message_id) = default;
};

/// "message 12 of sender 0".
std::string to_string(message_id id);

/// The shortest text that has room for a stamp, in bytes.
constexpr std::size_t least_text_size = 32;
constexpr std::size_t most_text_size = 16 * 1024 * 1024;
constexpr std::size_t most_senders = 100'000;
constexpr std::size_t most_messages = 10'000'000;

/// A text of exactly `size` bytes of ASCII, none of which JSON would escape.
std::string make_text(message_id id, std::size_t size);

/// Which message a text is that a server made of one of ours, by putting a label before it or JSON around it; nothing
/// if there is none of ours in it. Throws `check_failed` if one of ours is in it, but damaged.
std::optional<message_id> find_stamp(std::string_view text);

/// How many messages a peer missed, if that is what the text says: a gap notice of the text dialect (design.md,
/// section 5).
std::optional<std::uint64_t> find_gap(std::string_view text);

}  // namespace chorus::bench
