#include "server/routes.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace chorus {

namespace {

request get(std::string const& target) {
  request asked(http::verb::get, target, 11);
  asked.set(http::field::host, "chat.example:8080");
  return asked;
}

request websocket_request(std::string const& target) {
  auto asked = get(target);
  asked.set(http::field::connection, "keep-alive, Upgrade");
  asked.set(http::field::upgrade, "websocket");
  asked.set(http::field::sec_websocket_version, "13");
  asked.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  return asked;
}

struct routing {
  settings options;
  bool ready = true;
  bool draining = false;
  bool full = false;

  auto decide(request const& asked) const { return route(asked, {ready, draining, full, options}); }
  response answer(request const& asked) const { return std::get<response>(decide(asked)); }
  std::string detail(request const& asked) const {
    return std::string(boost::json::parse(answer(asked).body()).at("detail").as_string());
  }
  unsigned status(request const& asked) const { return answer(asked).result_int(); }
  bool upgrades(request const& asked, service to = service::chat) const {
    auto const decision = decide(asked);
    return std::holds_alternative<destination>(decision) && std::get<destination>(decision).what == to;
  }
  destination granted(request const& asked) const { return std::get<destination>(decide(asked)); }
  dialect_id dialect(request const& asked) const { return granted(asked).speaks; }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(routes, routing)

BOOST_AUTO_TEST_CASE(websocket_paths_are_upgraded) {
  BOOST_TEST(upgrades(websocket_request("/chat")));
  BOOST_TEST(upgrades(websocket_request("/chat?later=use")));
  BOOST_TEST(upgrades(websocket_request("/chat/kitchen")));
  BOOST_TEST(upgrades(websocket_request("/echo"), service::echo));
  BOOST_TEST(upgrades(websocket_request("/echo?name="), service::echo));
}

BOOST_AUTO_TEST_CASE(wishes_come_from_the_target) {
  auto const wishes = granted(websocket_request("/chat/kitchen?name=al+b&history=3&since=1:2")).wishes;
  BOOST_TEST(wishes.room == "kitchen");
  BOOST_TEST(wishes.name == "al b");
  BOOST_TEST(wishes.history == 3U);
  BOOST_TEST((wishes.since == cursor{1, 2}));
  BOOST_TEST(granted(websocket_request("/chat")).wishes.room == "lobby");
}

BOOST_AUTO_TEST_CASE(plain_get_is_426) {
  for (auto const* path : {"/chat", "/chat/kitchen", "/chat/kitchen?name=bob", "/echo"})
    for (auto const method : {http::verb::get, http::verb::head}) {
      auto asked = get(path);
      asked.method(method);
      auto const refused = answer(asked);
      BOOST_TEST(refused.result_int() == 426U);
      BOOST_TEST(refused[http::field::upgrade] == "websocket");
      BOOST_TEST(refused[http::field::connection] == "upgrade");
    }
}

BOOST_AUTO_TEST_CASE(unknown_paths_are_404) {
  for (auto const* path :
       {"/index.html", "//", "/chat.js/", "/chats", "/chatter", "/CHAT", "/echo/a", "*", "http://x/chat"}) {
    BOOST_TEST(status(get(path)) == 404U);
    BOOST_TEST(status(websocket_request(path)) == 404U);
  }
}

BOOST_AUTO_TEST_CASE(unknown_paths_are_answered_with_those_that_there_are) {
  BOOST_TEST(detail(get("/nowhere")) == "There is /, /chat, /chat/{room}, /echo, /healthz and /readyz.");
}

BOOST_AUTO_TEST_CASE(the_page_is_served) {
  for (auto const& [path, type] : {std::pair("/", "text/html; charset=utf-8"),
                                   {"/?x=y", "text/html; charset=utf-8"},
                                   {"/chat.js", "text/javascript; charset=utf-8"},
                                   {"/style.css", "text/css; charset=utf-8"},
                                   {"/icon.svg", "image/svg+xml"}}) {
    auto const file = answer(get(path));
    BOOST_TEST(file.result_int() == 200U, path);
    BOOST_TEST(file[http::field::content_type] == type);
    BOOST_TEST(file[http::field::content_length] == std::to_string(file.body().size()));
    BOOST_TEST(file[http::field::content_encoding] == "");
    BOOST_TEST(file[http::field::cache_control] == "no-cache");
    BOOST_TEST(file[http::field::vary] == "Accept-Encoding");
    BOOST_TEST(file["X-Content-Type-Options"] == "nosniff");
    BOOST_TEST(file["Referrer-Policy"] == "no-referrer");
    BOOST_TEST(!file["Permissions-Policy"].empty());
    std::string const policy(file["Content-Security-Policy"]);
    for (auto const* part : {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"})
      BOOST_TEST(policy.find(part) != std::string::npos, part);
    BOOST_TEST(policy.find("unsafe") == std::string::npos);
  }
  BOOST_TEST(answer(get("/")).body().starts_with("<!doctype html>"));
}

BOOST_AUTO_TEST_CASE(the_page_is_gzipped_for_those_who_accept_that) {
  auto asked = get("/chat.js");
  auto const plain = answer(asked);
  for (auto const* accepted : {"gzip", "br, gzip", "GZIP;q=0.1", "*", "gzip;q=1.000, *;q=0", "deflate, *;q=0.5"}) {
    asked.set(http::field::accept_encoding, accepted);
    auto const zipped = answer(asked);
    BOOST_TEST(zipped[http::field::content_encoding] == "gzip", accepted);
    BOOST_TEST(zipped.body().starts_with("\x1f\x8b"));
    BOOST_TEST(zipped.body().size() < plain.body().size() / 2);
    BOOST_TEST(zipped[http::field::etag] != plain[http::field::etag]);
    BOOST_TEST(zipped[http::field::vary] == "Accept-Encoding");
  }
  for (auto const* accepted : {"", "identity", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzipped", "br;q=1;gzip"}) {
    asked.set(http::field::accept_encoding, accepted);
    BOOST_TEST(answer(asked)[http::field::content_encoding] == "", accepted);
  }
}

BOOST_AUTO_TEST_CASE(who_has_the_page_is_told_so) {
  auto asked = get("/");
  std::string const etag(answer(asked)[http::field::etag]);
  BOOST_TEST((etag.size() > 2 && etag.starts_with('"') && etag.ends_with('"')));
  for (auto const& known :
       {etag, "W/" + etag, "\"other\", " + etag, "\"a\" ,\t" + etag + " , \"b\"", std::string("*")}) {
    asked.set(http::field::if_none_match, known);
    auto const unchanged = answer(asked);
    BOOST_TEST(unchanged.result_int() == 304U, known);
    BOOST_TEST(unchanged.body().empty());
    BOOST_TEST(unchanged[http::field::etag] == etag);
    BOOST_TEST(unchanged.count(http::field::content_length) == 0U);
    BOOST_TEST(!unchanged["Content-Security-Policy"].empty());
  }
  for (auto const* known : {"", "\"other\"", ",", " ,, ", "W/", "*x"}) {
    asked.set(http::field::if_none_match, known);
    BOOST_TEST(status(asked) == 200U, known);
  }
  // The tag of the other representation is another one.
  asked.set(http::field::if_none_match, etag);
  asked.set(http::field::accept_encoding, "gzip");
  BOOST_TEST(status(asked) == 200U);
}

BOOST_AUTO_TEST_CASE(the_page_is_small) {
  std::size_t size = 0;
  for (auto const* path : {"/", "/chat.js", "/style.css", "/icon.svg"}) size += answer(get(path)).body().size();
  BOOST_TEST(size < 30'000U);
}

BOOST_AUTO_TEST_CASE(ranges_of_the_page_are_ignored) {
  auto asked = get("/");
  asked.set(http::field::range, "bytes=0-3");
  BOOST_TEST(status(asked) == 200U);
  BOOST_TEST(answer(asked).body().size() > 4U);
}

BOOST_AUTO_TEST_CASE(without_a_page_there_is_none) {
  options.page = false;
  for (auto const* path : {"/", "/chat.js", "/style.css", "/icon.svg"}) BOOST_TEST(status(get(path)) == 404U);
  BOOST_TEST(detail(get("/")) == "There is /chat, /chat/{room}, /echo, /healthz and /readyz.");
}

BOOST_AUTO_TEST_CASE(other_methods_are_405) {
  for (auto const method : {http::verb::post, http::verb::delete_, http::verb::options}) {
    auto asked = get("/chat");
    asked.method(method);
    BOOST_TEST(status(asked) == 405U);
    BOOST_TEST(answer(asked)[http::field::allow] == "GET, HEAD");
  }
}

BOOST_AUTO_TEST_CASE(head_is_answered_like_get) {
  auto asked = get("/healthz");
  asked.method(http::verb::head);
  BOOST_TEST(status(asked) == 200U);
  asked.target("/nowhere");
  BOOST_TEST(status(asked) == 404U);
}

BOOST_AUTO_TEST_CASE(bad_rooms_names_and_cursors_are_400) {
  for (auto const* target : {"/chat/", "/chat/a/b", "/chat/a%2Fb", "/chat/..", "/chat/%", "/chat/a%20b",
                             "/chat?name=", "/chat?name=%00", "/chat?name=user7", "/chat?name=%FF", "/chat?history=-1",
                             "/chat?history=1.5", "/chat?since=7", "/chat/kitchen?name=bob&since=a:b"}) {
    auto const refused = answer(websocket_request(target));
    BOOST_TEST(refused.result_int() == 400U, target);
    BOOST_TEST(refused[http::field::content_type] == "application/problem+json");
  }
  // Who only asks hears it, too.
  BOOST_TEST(status(get("/chat?name=")) == 400U);
  BOOST_TEST(detail(websocket_request("/chat/a/b")).starts_with("A room has 1 to 64 "));
  BOOST_TEST(detail(websocket_request("/chat?name=")).starts_with("A name has 1 to 32 "));
  BOOST_TEST(detail(websocket_request("/chat?history=x")).starts_with("history is "));
  BOOST_TEST(detail(websocket_request("/chat?since=x")).starts_with("since is "));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_request_is_said_before_that_there_is_no_capacity) {
  for (auto* const busy : {&draining, &full}) {
    *busy = true;
    BOOST_TEST(status(websocket_request("/chat?name=")) == 400U);
    BOOST_TEST(status(websocket_request("/chat?name=bob")) == 503U);
    BOOST_TEST(status(websocket_request("/echo")) == 503U);
    *busy = false;
  }
}

BOOST_AUTO_TEST_CASE(host_is_required_once) {
  auto asked = websocket_request("/chat");
  asked.erase(http::field::host);
  BOOST_TEST(status(asked) == 400U);
  asked.insert(http::field::host, "a");
  asked.insert(http::field::host, "b");
  BOOST_TEST(status(asked) == 400U);
}

BOOST_AUTO_TEST_CASE(other_versions_of_the_protocol_are_426_with_ours) {
  auto asked = websocket_request("/chat");
  for (auto const* version : {"8", "0", "14", ""}) {
    asked.set(http::field::sec_websocket_version, version);
    BOOST_TEST(status(asked) == 426U);
    BOOST_TEST(answer(asked)[http::field::sec_websocket_version] == "13");
  }
}

BOOST_AUTO_TEST_CASE(bad_keys_are_400) {
  auto asked = websocket_request("/chat");
  for (auto const* key :
       {"", "short==", "dGhlIHNhbXBsZSBub25jZQ=!", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBs ZSBub25jZ=="}) {
    asked.set(http::field::sec_websocket_key, key);
    BOOST_TEST(status(asked) == 400U);
  }
}

BOOST_AUTO_TEST_CASE(no_capacity_is_503_with_retry_after) {
  full = true;
  auto const refused = answer(websocket_request("/chat"));
  BOOST_TEST(refused.result_int() == 503U);
  BOOST_TEST(!refused[http::field::retry_after].empty());
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
  asked.set(http::field::origin, "https://evil.example");
  BOOST_TEST(status(asked) == 403U);
  options.allow_origins = {"https://evil.example"};
  BOOST_TEST(upgrades(asked));
}

BOOST_AUTO_TEST_CASE(problems_are_json_that_says_what_would_be_right) {
  auto const refused = problem(http::status::not_found, "a \"detail\"");
  BOOST_TEST(refused[http::field::content_type] == "application/problem+json");
  auto const body = boost::json::parse(refused.body()).as_object();
  BOOST_TEST(body.at("status").as_int64() == 404);
  BOOST_TEST(body.at("title").as_string() == "Not Found");
  BOOST_TEST(body.at("detail").as_string() == "a \"detail\"");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(offered_subprotocols, routing)

namespace {

request offering(std::vector<char const*> const& offers, std::string const& target = "/chat") {
  auto asked = websocket_request(target);
  for (auto const* offer : offers) asked.insert(http::field::sec_websocket_protocol, offer);
  return asked;
}

}  // namespace

BOOST_AUTO_TEST_CASE(none_is_the_tutorials) { BOOST_TEST((dialect(offering({})) == dialect_id::text)); }

BOOST_AUTO_TEST_CASE(known_one_is_spoken_wherever_it_is_offered) {
  for (auto const& offers : std::vector<std::vector<char const*>>{{"chorus.v1"},
                                                                  {"chorus.v1, other"},
                                                                  {"other,chorus.v1"},
                                                                  {"a , b\t,  chorus.v1 ,c"},
                                                                  {"other", "chorus.v1"},
                                                                  {"a, b", "c", "d, chorus.v1"},
                                                                  {"", "chorus.v1"},
                                                                  {"chorus.v1", "chorus.v1"}})
    BOOST_TEST((dialect(offering(offers)) == dialect_id::json), offers.front());
}

/// The client that insists on it ends the connection (RFC 6455 section 4.1).
BOOST_AUTO_TEST_CASE(unknown_ones_are_no_error) {
  for (auto const* offer : {"other", "chorus.v2", "chorus", "chorus.v1x", "CHORUS.V1", "xchorus.v1", "a, b, c"})
    BOOST_TEST((dialect(offering({offer})) == dialect_id::text), offer);
}

BOOST_AUTO_TEST_CASE(what_is_no_list_of_tokens_offers_nothing) {
  for (auto const* offer : {"", ",", " ", "\"chorus.v1\"", "@, chorus.v1", "chorus/v1", "(chorus.v1)", ";chorus.v1"})
    BOOST_TEST((dialect(offering({offer})) == dialect_id::text), offer);
}

BOOST_AUTO_TEST_CASE(echo_has_none) { BOOST_TEST((dialect(offering({"chorus.v1"}, "/echo")) == dialect_id::text)); }

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
