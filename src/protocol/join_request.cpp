#include "protocol/join_request.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <map>
#include <range/v3/algorithm/all_of.hpp>

#include "protocol/name.hpp"

namespace chorus {

namespace {

constexpr std::string_view chat_path = "/chat";

bool is_room_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool is_room_name(std::string_view name) {
  return !name.empty() && name.size() <= max_room_name_size && ranges::all_of(name, is_room_character) && name != "." &&
         name != "..";
}

/// Sets what the parameter says; returns what is wrong with it, or nothing.
std::string_view read_parameter(join_request& to, std::string_view key, std::string_view value) {
  if (key == "name") {
    auto name = normalize_name(value);
    if (!name) return name_rules;
    to.name = std::move(*name);
  } else if (key == "history") {
    auto const messages = parse_integer(value);
    if (!messages) return "history is a number of messages, such as 50.";
    to.history = *messages;
  } else if (key == "since") {
    to.since = parse_cursor(value);
    if (!to.since) return "since is epoch:seq, two whole numbers that the server has sent.";
  }
  return {};
}

}  // namespace

bool is_chat_path(std::string_view target) {
  if (!target.starts_with(chat_path)) return false;
  auto const rest = target.substr(chat_path.size());
  return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

std::variant<join_request, std::string> parse_join_request(std::string_view target) {
  auto const url = boost::urls::parse_origin_form(target);
  if (!url) return "This is not a target of a request (RFC 3986): a percent sign stands for two hexadecimal digits.";
  join_request request;
  auto const segments = url->segments();
  if (segments.size() > 1) {
    request.room = segments.size() == 2 ? std::string(segments.back()) : std::string();
    if (!is_room_name(request.room))
      return "A room has 1 to 64 of the characters A-Z a-z 0-9 . _ - in its name, and is neither . nor ..";
  }
  std::map<std::string, std::string> parameters;
  for (auto const& parameter : url->params())
    parameters.insert_or_assign(std::string(parameter.key), std::string(parameter.value));
  for (auto const& [key, value] : parameters) {
    auto const wrong = read_parameter(request, key, value);
    if (!wrong.empty()) return std::string(wrong);
  }
  return request;
}

}  // namespace chorus
