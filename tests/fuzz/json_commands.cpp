// Whatever a client of chorus.v1 sends: it is a command within its bounds, or what is wrong with it can be said.

#include <boost/json/parse.hpp>
#include <cstdint>
#include <string_view>
#include <variant>

#include "protocol/cursor.hpp"
#include "protocol/json_dialect.hpp"
#include "require.hpp"

namespace chorus {

namespace {

/// Or none.
bool is_id(std::string_view id) {
  for (auto const c : id)
    if (c < ' ' || c > '~') return false;
  return id.size() <= 64;
}

/// The payload of the one text frame that these bytes are. No error takes more than 64 KiB.
std::string_view payload(std::string_view frame) {
  require(frame.size() >= 2 && frame[0] == '\x81');
  auto const header = frame_header_size(frame.size() - 2);
  std::string expected;
  append_frame_header(expected, opcode::text, frame.size() - header);
  require(expected.size() == header && frame.starts_with(expected));
  return frame.substr(header);
}

struct check {
  void operator()(say const& said) const { require(is_id(said.id) && is_utf8(said.text)); }
  void operator()(ask_users const& /*unused*/) const {}
  void operator()(rename const& wish) const { require(is_id(wish.id) && is_normalized_name(wish.name)); }
  void operator()(replay const& wish) const {
    require(is_id(wish.id) && wish.from >= 1 && wish.from <= wish.to && wish.to <= max_integer);
  }
  void operator()(bad_request const& wrong) const {
    require(is_id(wrong.id) && !wrong.detail.empty());
    auto const frame = json_dialect().error(refusal::bad_request, wrong.detail, wrong.id);
    boost::json::object expected{{"type", "error"}, {"code", "bad_request"}, {"detail", wrong.detail}};
    if (!wrong.id.empty()) expected.emplace("id", wrong.id);
    boost::json::error_code ec;
    require(boost::json::parse(payload(frame), ec) == expected && !ec);
  }
  // Neither is what becomes of a text in this dialect.
  void operator()(ignored const& /*unused*/) const { require(false); }
  void operator()(unacceptable const& /*unused*/) const { require(false); }
};

}  // namespace

}  // namespace chorus

/// Only valid UTF-8 gets so far in the server. Here the dialect has to see to it by itself.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  std::visit(chorus::check(), chorus::json_dialect().decode(chorus::opcode::text, text));
  return 0;
}
