#include "bench/stamp.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

// A stamp is "bench SSSSS NNNNNNNN LLLLLLLL ": sender, number, and the length of the whole text.
constexpr std::string_view marker = "bench ";
constexpr std::size_t sender_digits = 5;
constexpr std::size_t long_digits = 8;
constexpr std::size_t sender_at = marker.size();
constexpr std::size_t number_at = sender_at + sender_digits + 1;
constexpr std::size_t length_at = number_at + long_digits + 1;
constexpr std::size_t stamp_size = length_at + long_digits + 1;
static_assert(stamp_size <= least_text_size);

/// What comes after the stamp, over and over again, so that a byte out of place shows.
constexpr auto padding = [] {
  std::array<char, 26 * 26> letters{};
  for (std::size_t i = 0; i != letters.size(); ++i) letters[i] = static_cast<char>('a' + (i + i / 26) % 26);
  return letters;
}();
constexpr std::string_view padding_text(padding.data(), padding.size());

void pad(std::string& text, std::size_t size) {
  for (; size > padding.size(); size -= padding.size()) text += padding_text;
  text += padding_text.substr(0, size);
}

bool is_padding(std::string_view text) {
  for (; text.size() > padding.size(); text.remove_prefix(padding.size()))
    if (!text.starts_with(padding_text)) return false;
  return padding_text.starts_with(text);
}

[[noreturn]] void damaged(std::string_view text) {
  constexpr std::size_t shown = 100;
  throw check_failed(fmt::format("a message came damaged: {:?}", text.substr(0, shown)));
}

}  // namespace

std::string to_string(message_id id) { return fmt::format("message {} of sender {}", id.number, id.sender); }

std::string make_text(message_id id, std::size_t size) {
  auto text = fmt::format("{}{:05} {:08} {:08} ", marker, id.sender, id.number, size);
  pad(text, size - stamp_size);
  return text;
}

std::optional<message_id> find_stamp(std::string_view text) {
  auto const at = text.find(marker);
  if (at == std::string_view::npos) return std::nullopt;
  auto const ours = text.substr(at);
  if (ours.size() < stamp_size) damaged(text);
  auto const number = [&](std::size_t from, std::size_t digits) {
    std::uint32_t value = 0;
    auto const end = ours.data() + from + digits;
    auto const [rest, error] = std::from_chars(ours.data() + from, end, value);
    if (error != std::errc{} || rest != end) damaged(text);
    return value;
  };
  auto const size = number(length_at, long_digits);
  if (size < stamp_size || size > ours.size() || !is_padding(ours.substr(stamp_size, size - stamp_size))) damaged(text);
  return message_id{number(sender_at, sender_digits), number(number_at, long_digits)};
}

std::optional<std::uint64_t> find_gap(std::string_view text) {
  constexpr std::string_view before = "[chorus]: ";
  constexpr std::string_view after = " messages skipped";
  if (!text.starts_with(before) || !text.ends_with(after)) return std::nullopt;
  auto const digits = text.substr(before.size(), text.size() - before.size() - after.size());
  std::uint64_t missed = 0;
  auto const [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), missed);
  if (error != std::errc{} || rest != digits.data() + digits.size()) return std::nullopt;
  return missed;
}

}  // namespace chorus::bench
