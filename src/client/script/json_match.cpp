#include "client/script/json_match.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace chorus::script {

namespace {

namespace json = boost::json;

constexpr std::string_view capture_prefix = "$?";

/// Calls `visit` with every string that is a value.
template <class Value, class Visit>
void for_each_string(Value& value, Visit const& visit) {
  if (auto* const object = value.if_object()) {
    for (auto& member : *object) for_each_string(member.value(), visit);
  } else if (auto* const array = value.if_array()) {
    for (auto& element : *array) for_each_string(element, visit);
  } else if (auto* const string = value.if_string()) {
    visit(*string);
  }
}

text parse(json::string const& written, position where) {
  return text::parse({written.data(), written.size()}, where, notation::plain);
}

/// Empty if the string captures nothing.
std::string captured_name(std::string_view written, position where) {
  if (!written.starts_with(capture_prefix)) return {};
  std::string name(written.substr(capture_prefix.size()));
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_character))
    throw script_error(where, "expected a capture such as \"$?name\", with nothing else in the string");
  return name;
}

bool same_number(json::value const& a, json::value const& b) {
  if (a.is_double() || b.is_double()) return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

class json_matching {
 public:
  json_matching(position where, variables const& known) : where_(where), known_(known) {}

  bool matches(json::value const& part, json::value const& whole) {
    if (auto const* members = part.if_object()) return matches(*members, whole);
    if (auto const* elements = part.if_array()) return matches(*elements, whole);
    if (auto const* string = part.if_string()) return matches(*string, whole);
    return part.is_number() && whole.is_number() ? same_number(part, whole) : part == whole;
  }

  variables captured;

 private:
  bool matches(json::object const& members, json::value const& whole) {
    auto const* all = whole.if_object();
    return all && std::all_of(members.begin(), members.end(), [&](auto const& member) {
             auto const* value = all->if_contains(member.key());
             return value && matches(member.value(), *value);
           });
  }

  bool matches(json::array const& elements, json::value const& whole) {
    auto const* all = whole.if_array();
    return all && std::equal(elements.begin(), elements.end(), all->begin(), all->end(),
                             [this](auto const& part, auto const& value) { return matches(part, value); });
  }

  bool matches(json::string const& string, json::value const& whole) {
    auto const as_written = [&] {
      return whole.is_string() ? std::string(whole.get_string()) : json::serialize(whole);
    };
    if (auto name = captured_name(string, where_); !name.empty()) {
      captured[std::move(name)] = as_written();
      return true;
    }
    auto const read = parse(string, where_);
    return (whole.is_string() || (whole.is_number() && read.is_variable())) && as_written() == read.expand(known_);
  }

  position where_;
  variables const& known_;
};

}  // namespace

std::optional<variables> match_subset(json_text const& part, json::value const& whole, variables const& known) {
  json_matching now(part.where, known);
  return now.matches(part.written, whole) ? std::optional(std::move(now.captured)) : std::nullopt;
}

json::value expand(json_text const& text, variables const& known) {
  auto expanded = text.written;
  for_each_string(expanded, [&](json::string& string) {
    if (captured_name(string, text.where).empty()) string = parse(string, text.where).expand(known);
  });
  return expanded;
}

std::vector<std::string> names(json_text const& text) {
  std::vector<std::string> found;
  for_each_string(text.written, [&](json::string const& string) {
    if (!captured_name(string, text.where).empty()) return;
    for (auto& name : parse(string, text.where).names()) found.push_back(std::move(name));
  });
  return found;
}

std::vector<std::string> captures(json_text const& text) {
  std::vector<std::string> found;
  for_each_string(text.written, [&](json::string const& string) {
    if (auto name = captured_name(string, text.where); !name.empty()) found.push_back(std::move(name));
  });
  return found;
}

}  // namespace chorus::script
