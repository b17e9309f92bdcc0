// Whatever is asked for in a request line: it leads to a room within its bounds, or to a sentence about what is wrong.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/join_request.hpp"
#include "require.hpp"

namespace chorus {

namespace {

bool is_room(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !name.empty() && name.size() <= 64 && name.find_first_not_of(allowed) == std::string_view::npos &&
         name != "." && name != "..";
}

struct check {
  void operator()(join_request const& wish) const {
    require(is_room(wish.room) && wish.history <= max_integer);
    require(wish.name.empty() || is_normalized_name(wish.name));
    require(!wish.since || (wish.since->epoch <= max_integer && wish.since->seq <= max_integer));
  }
  void operator()(std::string const& wrong) const { require(!wrong.empty() && is_utf8(wrong)); }
};

}  // namespace

}  // namespace chorus

/// What is no path of a chat is not worth keeping.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const target(reinterpret_cast<char const*>(data), size);
  if (!chorus::is_chat_path(target)) return -1;
  std::visit(chorus::check(), chorus::parse_join_request(target));
  return 0;
}
