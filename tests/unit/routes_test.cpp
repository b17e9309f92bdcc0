#include "server/routes.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

namespace chorus {

namespace {

using http::field;

request get(std::string const& target) {
  request asked(http::verb::get, target, 11);
  asked.set(field::host, "chat.example:8080");
  return asked;
}

request websocket_request(std::string const& target) {
  auto asked = get(target);
  asked.set(field::connection, "keep-alive, Upgrade");
  asked.set(field::upgrade, "websocket");
  asked.set(field::sec_websocket_version, "13");
  asked.set(field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  return asked;
}

struct routing {
  settings options;
  bool ready = true;
  bool draining = false;
  bool full = false;

  auto decide(request const& asked) const { return route(asked, {ready, draining, full, options}); }
  response answer(request const& asked) const { return std::get<response>(decide(asked)); }
  unsigned status(request const& asked) const { return answer(asked).result_int(); }
  bool upgrades(request const& asked, service to = service::chat) const {
    auto const decision = decide(asked);
    return std::holds_alternative<service>(decision) && std::get<service>(decision) == to;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(routes, routing)

BOOST_AUTO_TEST_CASE(websocket_paths_are_upgraded) {
  BOOST_TEST(upgrades(websocket_request("/chat")));
  BOOST_TEST(upgrades(websocket_request("/chat?later=use")));
  BOOST_TEST(upgrades(websocket_request("/echo"), service::echo));
}

BOOST_AUTO_TEST_CASE(plain_get_is_426) {
  auto const refused = answer(get("/chat"));
  BOOST_TEST(refused.result_int() == 426U);
  BOOST_TEST(refused[field::upgrade] == "websocket");
  BOOST_TEST(refused[field::connection] == "upgrade");
}

BOOST_AUTO_TEST_CASE(unknown_paths_are_404) {
  for (auto const* path : {"/", "/chats", "/chat/", "/CHAT", "*", "http://x/chat"}) {
    BOOST_TEST(status(get(path)) == 404U);
    BOOST_TEST(status(websocket_request(path)) == 404U);
  }
}

BOOST_AUTO_TEST_CASE(other_methods_are_405) {
  for (auto const method : {http::verb::post, http::verb::delete_, http::verb::options}) {
    auto asked = get("/chat");
    asked.method(method);
    BOOST_TEST(status(asked) == 405U);
    BOOST_TEST(answer(asked)[field::allow] == "GET, HEAD");
  }
}

BOOST_AUTO_TEST_CASE(host_is_required_once) {
  auto asked = websocket_request("/chat");
  asked.erase(field::host);
  BOOST_TEST(status(asked) == 400U);
  asked.insert(field::host, "a");
  asked.insert(field::host, "b");
  BOOST_TEST(status(asked) == 400U);
}

BOOST_AUTO_TEST_CASE(other_versions_of_the_protocol_are_426_with_ours) {
  auto asked = websocket_request("/chat");
  for (auto const* version : {"8", "0", "14", ""}) {
    asked.set(field::sec_websocket_version, version);
    BOOST_TEST(status(asked) == 426U);
    BOOST_TEST(answer(asked)[field::sec_websocket_version] == "13");
  }
}

BOOST_AUTO_TEST_CASE(bad_keys_are_400) {
  auto asked = websocket_request("/chat");
  for (auto const* key :
       {"", "short==", "dGhlIHNhbXBsZSBub25jZQ=!", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBs ZSBub25jZ=="}) {
    asked.set(field::sec_websocket_key, key);
    BOOST_TEST(status(asked) == 400U);
  }
}

BOOST_AUTO_TEST_CASE(no_capacity_is_503_with_retry_after) {
  full = true;
  auto const refused = answer(websocket_request("/chat"));
  BOOST_TEST(refused.result_int() == 503U);
  BOOST_TEST(!refused[field::retry_after].empty());
  BOOST_TEST(status(get("/healthz")) == 200U);
}

BOOST_AUTO_TEST_CASE(draining_server_is_alive_but_not_ready) {
  BOOST_TEST(status(get("/healthz")) == 200U);
  BOOST_TEST(status(get("/readyz")) == 200U);
  ready = false;
  BOOST_TEST(status(get("/healthz")) == 200U);
  BOOST_TEST(status(get("/readyz")) == 503U);
  BOOST_TEST(upgrades(websocket_request("/chat")));
  draining = true;
  BOOST_TEST(status(get("/healthz")) == 200U);
  BOOST_TEST(status(get("/readyz")) == 503U);
  BOOST_TEST(status(websocket_request("/chat")) == 503U);
}

BOOST_AUTO_TEST_CASE(foreign_origin_is_403) {
  auto asked = websocket_request("/chat");
  asked.set(field::origin, "https://evil.example");
  BOOST_TEST(status(asked) == 403U);
  options.allow_origins = {"https://evil.example"};
  BOOST_TEST(upgrades(asked));
}

BOOST_AUTO_TEST_CASE(problems_are_json_that_says_what_would_be_right) {
  auto const refused = problem(http::status::not_found, "a \"detail\"");
  BOOST_TEST(refused[field::content_type] == "application/problem+json");
  auto const body = boost::json::parse(refused.body()).as_object();
  BOOST_TEST(body.at("status").as_int64() == 404);
  BOOST_TEST(body.at("title").as_string() == "Not Found");
  BOOST_TEST(body.at("detail").as_string() == "a \"detail\"");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(origins, routing)

BOOST_AUTO_TEST_CASE(none_is_allowed) { BOOST_TEST(origin_allowed("", "host", options)); }

BOOST_AUTO_TEST_CASE(same_host_and_port_is_allowed) {
  BOOST_TEST(origin_allowed("http://host", "host", options));
  BOOST_TEST(origin_allowed("https://Host:8080", "host:8080", options));
}

BOOST_AUTO_TEST_CASE(anything_else_is_not) {
  for (auto const* origin : {"http://host:81", "http://sub.host", "http://host.evil", "null", "host", "http://"})
    BOOST_TEST(!origin_allowed(origin, "host", options));
}

BOOST_AUTO_TEST_CASE(listed_ones_are_allowed_whole) {
  options.allow_origins = {"https://a.example", "http://b.example:3000"};
  BOOST_TEST(origin_allowed("https://a.example", "host", options));
  BOOST_TEST(origin_allowed("http://B.example:3000", "host", options));
  BOOST_TEST(!origin_allowed("http://a.example", "host", options));
  BOOST_TEST(!origin_allowed("https://a.example.evil", "host", options));
}

BOOST_AUTO_TEST_CASE(star_allows_all) {
  options.allow_origins = {"*"};
  BOOST_TEST(origin_allowed("null", "host", options));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace chorus
