#include "protocol/text_dialect.hpp"

#include <range/v3/numeric/accumulate.hpp>

namespace chorus {

namespace {

constexpr std::string_view before_name = "[";
constexpr std::string_view after_name = "]: ";

std::size_t payload_size(event const& e) {
  return before_name.size() + e.name.size() + after_name.size() + e.text.size();
}

std::size_t frame_size(event const& e) {
  if (!is_message(e)) return 0;
  auto const payload = payload_size(e);
  return frame_header_size(payload) + payload;
}

std::string text_frame(std::string_view payload) {
  std::string frame;
  append_frame(frame, opcode::text, payload);
  return frame;
}

}  // namespace

std::string text_dialect::greeting(welcome const& to) const {
  return text_frame("You are connected! There are " + std::to_string(to.users) + " users here.");
}

std::string text_dialect::encode(std::span<event const> events) const {
  std::string frames;
  frames.reserve(ranges::accumulate(events, std::size_t{0}, {}, frame_size));
  for (auto const& e : events) {
    if (!is_message(e)) continue;
    append_frame_header(frames, opcode::text, payload_size(e));
    frames.append(before_name).append(e.name).append(after_name).append(e.text);
  }
  return frames;
}

std::string text_dialect::gap(event_range const& missed) const {
  if (missed.messages == 0) return {};
  return text_frame("[chorus]: " + std::to_string(missed.messages) + " messages skipped");
}

std::string text_dialect::error(refusal, std::string_view detail, std::string_view) const {
  return text_frame(std::string("[chorus]: ").append(detail));
}

command text_dialect::decode(opcode op, std::string_view payload) const {
  if (op != opcode::text) return ignored{};
  return say{std::string(payload)};
}

std::string encode_echo_greeting() { return text_frame("You are connected!"); }

std::string encode_echo(std::string_view text) { return text_frame(std::string("You said: ").append(text)); }

}  // namespace chorus
