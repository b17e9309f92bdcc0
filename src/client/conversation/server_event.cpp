#include "client/conversation/server_event.hpp"

#include <boost/json/parse.hpp>

namespace chorus::v1 {

namespace {

namespace json = boost::json;

/// The members of an object. One that is missing or of another type makes the whole incomplete.
class members {
 public:
  explicit members(json::object const& of) : of_(of) {}

  bool complete() const { return complete_; }

  void read(std::string_view key, std::string& to) {
    auto const* value = of_.if_contains(key);
    if (value != nullptr && value->is_string())
      to = std::string(value->get_string());
    else
      complete_ = false;
  }

  void read(std::string_view key, std::uint64_t& to) {
    auto const* value = of_.if_contains(key);
    error_code failed;
    if (value != nullptr) to = value->to_number<std::uint64_t>(failed);
    if (value == nullptr || failed) complete_ = false;
  }

  void read(std::string_view key, bool& to) {
    auto const* value = of_.if_contains(key);
    if (value != nullptr && value->is_bool())
      to = value->get_bool();
    else
      complete_ = false;
  }

  void read_if_any(std::string_view key, std::string& to) {
    if (of_.contains(key)) read(key, to);
  }

  void read_if_any(std::string_view key, std::optional<std::vector<std::string>>& to) {
    auto const* value = of_.if_contains(key);
    if (value == nullptr || !value->is_array()) return;
    to.emplace();
    for (auto const& name : value->get_array())
      if (name.is_string()) to->emplace_back(name.get_string());
  }

 private:
  using error_code = boost::system::error_code;

  json::object const& of_;
  bool complete_ = true;
};

void read(members& in, welcome& to) {
  in.read("room", to.room);
  in.read("name", to.name);
  in.read("users", to.users);
  in.read("epoch", to.epoch);
  in.read("seq", to.seq);
  in.read("recovered", to.recovered);
}

void read(members& in, message& to) {
  in.read("seq", to.seq);
  in.read("from", to.from);
  in.read("text", to.text);
  in.read_if_any("id", to.id);
}

/// `joined` and `left`
template <class Presence>
void read(members& in, Presence& to) {
  in.read("seq", to.seq);
  in.read("name", to.name);
  in.read("users", to.users);
}

void read(members& in, renamed& to) {
  in.read("seq", to.seq);
  in.read("name", to.name);
  in.read("to", to.to);
}

template <class Range>
void read_range(members& in, Range& to) {
  in.read("from", to.from);
  in.read("to", to.to);
}
void read(members& in, gap& to) { read_range(in, to); }
void read(members& in, replayed& to) { read_range(in, to); }

void read(members& in, presence& to) {
  in.read("users", to.users);
  in.read_if_any("names", to.names);
}

void read(members& in, error& to) {
  in.read("code", to.code);
  in.read("detail", to.detail);
  in.read_if_any("id", to.id);
}

template <class Type>
std::optional<server_event> as(json::object const& object) {
  members in(object);
  Type made;
  read(in, made);
  return in.complete() ? std::optional<server_event>(std::move(made)) : std::nullopt;
}

struct {
  std::string_view type;
  std::optional<server_event> (*parse)(json::object const&);
} constexpr parsers[] = {
    {"welcome", as<welcome>},   {"message", as<message>}, {"joined", as<joined>},
    {"left", as<left>},         {"renamed", as<renamed>}, {"gap", as<gap>},
    {"replayed", as<replayed>}, {"users", as<presence>},  {"error", as<error>},
};

}  // namespace

std::optional<server_event> parse_server_event(std::string_view text) {
  boost::system::error_code failed;
  auto const value = json::parse(text, failed);
  auto const* object = failed ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  std::string type;
  members(*object).read("type", type);
  for (auto const& one : parsers)
    if (one.type == type) return one.parse(*object);
  return std::nullopt;
}

}  // namespace chorus::v1
