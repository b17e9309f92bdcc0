#include "client/script/json_match.hpp"

#include <algorithm>

namespace chorus::script {

namespace {

namespace json = boost::json;

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

bool same_number(json::value const& a, json::value const& b) {
  if (a.is_double() || b.is_double()) return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

}  // namespace

bool is_subset(json::value const& part, json::value const& whole) {
  if (auto const* members = part.if_object()) {
    auto const* all = whole.if_object();
    return all && std::all_of(members->begin(), members->end(), [all](auto const& member) {
             auto const* value = all->if_contains(member.key());
             return value && is_subset(member.value(), *value);
           });
  }
  if (auto const* elements = part.if_array()) {
    auto const* all = whole.if_array();
    return all && std::equal(elements->begin(), elements->end(), all->begin(), all->end(), is_subset);
  }
  return part.is_number() && whole.is_number() ? same_number(part, whole) : part == whole;
}

json::value expand(json::value const& written, position where, variables const& known) {
  auto expanded = written;
  for_each_string(expanded, [&](json::string& string) { string = parse(string, where).expand(known); });
  return expanded;
}

std::vector<std::string> names(json::value const& written, position where) {
  std::vector<std::string> found;
  for_each_string(written, [&](json::string const& string) {
    for (auto& name : parse(string, where).names()) found.push_back(std::move(name));
  });
  return found;
}

}  // namespace chorus::script
