#pragma once
// What a client says in chorus.v1.

#include <cstdint>
#include <string>
#include <string_view>

namespace chorus::v1 {

/// An `id` comes back with the message or the error; empty: none.
std::string say(std::string_view text, std::string_view id);
std::string ask_users();
std::string rename(std::string_view name);
std::string replay(std::uint64_t from, std::uint64_t to, std::string_view id);

}  // namespace chorus::v1
