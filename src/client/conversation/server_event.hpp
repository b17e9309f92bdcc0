#pragma once
// What a server says in chorus.v1, one struct per type of message.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chorus::v1 {

struct welcome {
  std::string room;
  std::string name;
  std::uint64_t users = 0;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  bool recovered = false;
};

struct message {
  std::uint64_t seq = 0;
  std::string from;
  std::string text;
  std::string id;  ///< empty: it has none
};

struct joined {
  std::uint64_t seq = 0;
  std::string name;
  std::uint64_t users = 0;
};

struct left {
  std::uint64_t seq = 0;
  std::string name;
  std::uint64_t users = 0;
};

struct renamed {
  std::uint64_t seq = 0;
  std::string name;
  std::string to;
};

/// `seq`, both inclusive.
struct gap {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

struct replayed {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

/// The type `users`.
struct presence {
  std::uint64_t users = 0;
  std::optional<std::vector<std::string>> names = {};  ///< not in a big room, and not where nobody asked
};

struct error {
  std::string code;
  std::string detail;
  std::string id;  ///< of the command that it answers; empty: it had none
};

using server_event = std::variant<welcome, message, joined, left, renamed, gap, replayed, presence, error>;

/// Nothing if it is no such message, or of a type that came later: a client passes over it.
std::optional<server_event> parse_server_event(std::string_view text);

}  // namespace chorus::v1
