#include "protocol/text_dialect.hpp"

#include <range/v3/numeric/accumulate.hpp>

namespace chorus {

namespace {

constexpr std::string_view before_name = "[";
constexpr std::string_view after_name = "]: ";

std::size_t payload_size(event const& e) {
  return before_name.size() + e.from.size() + after_name.size() + e.text.size();
}

std::size_t frame_size(event const& e) {
  auto const payload = payload_size(e);
  return frame_header_size(payload) + payload;
}

std::string text_frame(std::string_view payload) {
  std::string frame;
  append_frame(frame, opcode::text, payload);
  return frame;
}

}  // namespace

std::string text_dialect::greeting(std::size_t users) const {
  return text_frame("You are connected! There are " + std::to_string(users) + " users here.");
}

std::string text_dialect::encode(std::span<event const> events) const {
  std::string frames;
  frames.reserve(ranges::accumulate(events, std::size_t{0}, {}, frame_size));
  for (auto const& e : events) {
    append_frame_header(frames, opcode::text, payload_size(e));
    frames.append(before_name).append(e.from).append(after_name).append(e.text);
  }
  return frames;
}

std::string text_dialect::gap(std::uint64_t first, std::uint64_t last) const {
  return text_frame("[chorus]: " + std::to_string(last - first + 1) + " messages skipped");
}

std::optional<std::string> text_dialect::decode(opcode op, std::string_view payload) const {
  if (op != opcode::text) return std::nullopt;
  return std::string(payload);
}

std::string encode_echo_greeting() { return text_frame("You are connected!"); }

std::string encode_echo(std::string_view text) { return text_frame(std::string("You said: ").append(text)); }

}  // namespace chorus
