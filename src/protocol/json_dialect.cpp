#include "protocol/json_dialect.hpp"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <range/v3/algorithm/all_of.hpp>

#include "protocol/cursor.hpp"
#include "protocol/name.hpp"

namespace chorus {

namespace {

namespace json = boost::json;

/// A command is an object of plain values; deeper nesting is in fields that nobody reads.
constexpr std::size_t max_depth = 8;
constexpr std::size_t max_id_size = 64;

/// Most commands and events need no more memory than this.
using scratch = std::array<unsigned char, 2048>;

void append_object(std::string& frames, json::object const& what) {
  append_frame(frames, opcode::text, json::serialize(what));
}

std::string frame(json::object const& what) {
  std::string bytes;
  append_object(bytes, what);
  return bytes;
}

std::string_view type_of(event const& e) {
  switch (e.what) {
    case event::kind::message: return "message";
    case event::kind::joined: return "joined";
    case event::kind::left: return "left";
    case event::kind::renamed: return "renamed";
    case event::kind::nothing: break;
  }
  return {};
}

void append_event(std::string& frames, event const& e, json::storage_ptr const& memory) {
  json::object o(memory);
  o.reserve(6);
  o.emplace("type", type_of(e));
  o.emplace("seq", e.seq);
  if (is_message(e)) {
    o.emplace("from", e.name);
    o.emplace("text", e.text);
  } else {
    o.emplace("name", e.name);
    if (e.what == event::kind::renamed) o.emplace("to", e.text);
    o.emplace("users", e.users);
  }
  o.emplace("at", e.at);
  if (!e.id.empty()) o.emplace("id", e.id);
  append_object(frames, o);
}

std::string_view as_text(json::value const* field) {
  auto const* const text = field == nullptr ? nullptr : field->if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

bool is_id(json::value const& field) {
  auto const text = as_text(&field);
  return !text.empty() && text.size() <= max_id_size && ranges::all_of(text, is_printable);
}

/// A whole number from 1 to 2^53; 1.0 is none.
std::optional<std::uint64_t> as_seq(json::value const* field) {
  // What does not fit into an int64 is too large anyway.
  auto const* const number = field == nullptr ? nullptr : field->if_int64();
  if (number == nullptr || *number < 1 || static_cast<std::uint64_t>(*number) > max_integer) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

command read_say(json::object const& o, std::string id) {
  auto const* const text = o.if_contains("text");
  if (text == nullptr || !text->is_string()) return bad_request{"say needs text, a string.", std::move(id)};
  return say{std::string(as_text(text)), std::move(id)};
}

command read_rename(json::object const& o, std::string id) {
  auto const* const name = o.if_contains("name");
  if (name == nullptr || !name->is_string()) return bad_request{"rename needs name, a string.", std::move(id)};
  auto normal = normalize_name(as_text(name));
  if (!normal) return bad_request{std::string(name_rules), std::move(id)};
  return rename{std::move(*normal), std::move(id)};
}

command read_replay(json::object const& o, std::string id) {
  auto const from = as_seq(o.if_contains("from"));
  auto const to = as_seq(o.if_contains("to"));
  if (!from || !to || *from > *to)
    return bad_request{"replay needs from and to, whole numbers from 1 to 2^53, from not after to.", std::move(id)};
  return replay{*from, *to, std::move(id)};
}

command read_command(json::object const& o) {
  std::string id;
  if (auto const* const field = o.if_contains("id")) {
    if (!is_id(*field)) return bad_request{"id is a string of 1 to 64 printable ASCII characters."};
    id = as_text(field);
  }
  auto const type = as_text(o.if_contains("type"));
  if (type == "say") return read_say(o, std::move(id));
  if (type == "users") return ask_users{};
  if (type == "rename") return read_rename(o, std::move(id));
  if (type == "replay") return read_replay(o, std::move(id));
  return bad_request{"type is one of say, users, rename and replay.", std::move(id)};
}

std::string_view code_of(refusal why) { return why == refusal::bad_request ? "bad_request" : "unavailable"; }

}  // namespace

std::string json_dialect::greeting(welcome const& to) const {
  return frame({{"type", "welcome"},
                {"room", to.room},
                {"name", to.name},
                {"users", to.users},
                {"epoch", to.epoch},
                {"seq", to.seq},
                {"recovered", to.recovered}});
}

std::string json_dialect::encode(std::span<event const> events) const {
  std::string frames;
  for (auto const& e : events) {
    scratch buffer;
    json::monotonic_resource memory(buffer.data(), buffer.size());
    if (e.announced) append_event(frames, e, &memory);
    if (e.turns_presence) frames += users(e.users, nullptr);
  }
  return frames;
}

std::string json_dialect::gap(event_range const& missed) const {
  return frame({{"type", "gap"}, {"from", missed.first}, {"to", missed.last}});
}

std::string json_dialect::users(std::size_t count, std::vector<std::string> const* names) const {
  json::object o{{"type", "users"}, {"users", count}};
  if (names != nullptr) o.emplace("names", json::array(names->begin(), names->end()));
  return frame(o);
}

std::string json_dialect::replayed(std::uint64_t from, std::uint64_t to) const {
  return frame({{"type", "replayed"}, {"from", from}, {"to", to}});
}

std::string json_dialect::error(refusal why, std::string_view detail, std::string_view id) const {
  json::object o{{"type", "error"}, {"code", code_of(why)}, {"detail", detail}};
  if (!id.empty()) o.emplace("id", id);
  return frame(o);
}

command json_dialect::decode(opcode op, std::string_view payload) const {
  if (op != opcode::text) return unacceptable{};
  scratch buffer;
  json::monotonic_resource memory(buffer.data(), buffer.size());
  json::parse_options options;
  options.max_depth = max_depth;
  boost::system::error_code ec;
  auto const parsed = json::parse(payload, ec, &memory, options);
  if (ec) return bad_request{"This is not JSON: " + ec.message() + "."};
  auto const* const o = parsed.if_object();
  return o == nullptr ? command(bad_request{"A command is a JSON object."}) : read_command(*o);
}

}  // namespace chorus
