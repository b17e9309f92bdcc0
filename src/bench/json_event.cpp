#include "bench/json_event.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <fmt/format.h>

#include "bench/check_failed.hpp"

namespace chorus::bench {

namespace {

namespace json = boost::json;

[[noreturn]] void not_an_event(std::string_view text) {
  constexpr std::size_t shown = 200;
  throw check_failed(fmt::format("the server sent what is no event of chorus.v1: {:?}", text.substr(0, shown)));
}

/// Reads what it expects, and returns false where something else comes.
class scanner {
 public:
  explicit scanner(std::string_view text) : rest_(text) {}

  bool literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }
  bool number(std::uint64_t& found) {
    auto const end = rest_.data() + rest_.size();
    auto const [stop, error] = std::from_chars(rest_.data(), end, found);
    rest_ = {stop, end};
    return error == std::errc{};
  }
  /// To the quote that ends a string in which nothing is escaped.
  bool plain_string(std::string_view& found) {
    auto const end = rest_.find('"');
    if (end == std::string_view::npos) return false;
    found = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return found.find('\\') == std::string_view::npos;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// A message with its fields in their usual order and nothing escaped, which is what nearly all that comes is. Parsing
/// it as any other JSON would cost more than it costs the server to send it.
std::optional<message> scan_message(std::string_view whole) {
  scanner rest(whole);
  std::uint64_t seq = 0, at = 0;
  std::string_view from, text;
  auto const usual = rest.literal(R"({"type":"message","seq":)") && rest.number(seq) && rest.literal(R"(,"from":")") &&
                     rest.plain_string(from) &&  //
                     rest.literal(R"(","text":")") && rest.plain_string(text) && rest.literal(R"(","at":)") &&
                     rest.number(at) && rest.literal("}") && rest.at_end();
  if (!usual) return std::nullopt;
  return message{seq, find_stamp(text)};
}

/// The fields of an event, which must be there.
class fields {
 public:
  fields(json::object const& event, std::string_view text) : event_(event), text_(text) {}

  std::uint64_t number(std::string_view key) const {
    error_code ec;
    auto const* const value = event_.if_contains(key);
    auto const found = value == nullptr || value->is_double() ? 0 : value->to_number<std::uint64_t>(ec);
    if (value == nullptr || value->is_double() || ec) not_an_event(text_);
    return found;
  }
  std::string_view string(std::string_view key) const {
    auto const* const value = event_.if_contains(key);
    auto const* const found = value == nullptr ? nullptr : value->if_string();
    if (found == nullptr) not_an_event(text_);
    return *found;
  }

 private:
  using error_code = boost::system::error_code;

  json::object const& event_;
  std::string_view text_;
};

json_event event_of(fields const& event, std::string_view text) {
  auto const type = event.string("type");
  auto const name = [&] { return std::string(event.string("name")); };
  if (type == "message") return message{event.number("seq"), find_stamp(event.string("text"))};
  if (type == "joined" || type == "left" || type == "renamed") return presence{event.number("seq"), name()};
  if (type == "welcome") return welcome{event.number("seq"), name()};
  if (type == "gap") return gap{event.number("from"), event.number("to")};
  if (type == "users") return turn{};
  if (type == "error")
    throw check_failed(fmt::format("the server sent the error {}: {}", event.string("code"), event.string("detail")));
  not_an_event(text);
}

}  // namespace

json_event parse_json_event(std::string_view text) {
  if (auto const usual = scan_message(text)) return *usual;
  unsigned char enough_for_most[2048];
  json::monotonic_resource memory(enough_for_most);
  boost::system::error_code ec;
  auto const parsed = json::parse(text, ec, &memory);
  auto const* const object = ec ? nullptr : parsed.if_object();
  if (object == nullptr) not_an_event(text);
  return event_of({*object, text}, text);
}

std::string say_command(std::string_view text) { return fmt::format(R"({{"type":"say","text":"{}"}})", text); }

}  // namespace chorus::bench
