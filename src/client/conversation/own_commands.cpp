#include "client/conversation/own_commands.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

namespace chorus {

namespace {

namespace json = boost::json;

constexpr std::pair<std::string_view, std::string_view> answers[] = {
    {"say", "message"}, {"users", "users"}, {"rename", "renamed"}, {"replay", "replayed"}};

constexpr std::string_view error_answer = "error";

/// Empty if it is no JSON object.
json::object parse(std::string_view text) {
  boost::system::error_code failed;
  auto parsed = json::parse(text, failed);
  return parsed.is_object() ? std::move(parsed.get_object()) : json::object();
}

/// Empty if it is no string, or not there.
std::string member(json::object const& of, std::string_view key) {
  auto const* value = of.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

void own_commands::sent(std::string_view line) {
  auto const parsed = parse(line);
  auto const type = member(parsed, "type");
  auto const known =
      std::find_if(std::begin(answers), std::end(answers), [&](auto const& one) { return one.first == type; });
  std::string answer(known == std::end(answers) ? error_answer : known->second);
  outstanding_.push_back({std::move(answer), type == "say" ? member(parsed, "text") : "", member(parsed, "id")});
}

void own_commands::came_back(std::string_view event) {
  if (outstanding_.empty()) return;
  auto const parsed = parse(event);
  auto const type = member(parsed, "type");
  auto const id = member(parsed, "id");
  auto const forget_first = [this](auto const& is_answered) {
    auto const found = std::find_if(outstanding_.begin(), outstanding_.end(), is_answered);
    if (found == outstanding_.end()) return false;
    outstanding_.erase(found);
    return true;
  };
  if (type != error_answer) {
    auto const text = member(parsed, "text");
    forget_first(
        [&](auto const& one) { return type == one.answer && text == one.text && (type != "message" || id == one.id); });
  } else if (!forget_first([&](auto const& one) { return one.answer == error_answer && one.id == id; })) {
    forget_first([&](auto const& one) { return one.id == id; });
  }
}

}  // namespace chorus
