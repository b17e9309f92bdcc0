#include "client/conversation/commands.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace chorus::v1 {

namespace {

std::string serialize(boost::json::object command, std::string_view id) {
  if (!id.empty()) command["id"] = id;
  return boost::json::serialize(command);
}

}  // namespace

std::string say(std::string_view text, std::string_view id) { return serialize({{"type", "say"}, {"text", text}}, id); }

std::string ask_users() { return serialize({{"type", "users"}}, {}); }

std::string rename(std::string_view name) { return serialize({{"type", "rename"}, {"name", name}}, {}); }

std::string replay(std::uint64_t from, std::uint64_t to, std::string_view id) {
  return serialize({{"type", "replay"}, {"from", from}, {"to", to}}, id);
}

}  // namespace chorus::v1
