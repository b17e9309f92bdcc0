#include "client/own_messages.hpp"

namespace chorus {

namespace {

constexpr std::string_view echo_prefix = "You said: ";

}  // namespace

bool own_messages::came_back(std::string_view received) {
  if (outstanding_.empty()) return false;
  auto const& expected = outstanding_.front();
  auto const label = parse_label(received);
  auto const is_labelled = label && label->text == expected;
  auto const is_echo = received.starts_with(echo_prefix) && received.substr(echo_prefix.size()) == expected;
  if (!is_labelled && !is_echo && received != expected) return false;
  if (is_labelled) name_ = label->name;
  outstanding_.pop_front();
  return true;
}

std::optional<labelled> parse_label(std::string_view message) {
  constexpr std::string_view end = "]: ";
  auto const at = message.find(end);
  if (!message.starts_with('[') || at == std::string_view::npos) return std::nullopt;
  return labelled{message.substr(1, at - 1), message.substr(at + end.size())};
}

}  // namespace chorus
