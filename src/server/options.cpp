#include "server/options.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <sys/un.h>

namespace chorus {

namespace {

constexpr std::size_t KiB = 1024;
constexpr std::size_t GiB = 1024 * 1024 * KiB;

constexpr char const* usage =
    "Usage: chorus-server [options]\n"
    "A chat server: a page at http://ADDRESS:PORT/, WebSockets at ws://ADDRESS:PORT/chat, and an echo at /echo.\n";
constexpr char const* other_sources =
    "\nEvery option can also be set in the environment, as CHORUS_PORT=8080 (plain PORT works too), and in the\n"
    "file that --config names, as port = 8080. The command line wins over the environment, that over the file.\n";

boost::asio::ip::address parse_address(std::string const& text) {
  boost::system::error_code ec;
  auto const address = boost::asio::ip::make_address(text, ec);
  if (ec) throw std::invalid_argument("expected an IP address such as 0.0.0.0, 127.0.0.1 or ::");
  return address;
}

/// `127.0.0.1:9180`, `[::1]:9180`; nothing if it is neither.
std::optional<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string const& text) {
  auto const colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  auto const has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  auto const* const end = text.data() + text.size();
  auto const [rest, failed] = std::from_chars(text.data() + colon + 1, end, port);
  boost::system::error_code ec;
  auto const address = boost::asio::ip::make_address(host, ec);
  if (ec || failed != std::errc() || rest != end || address.is_v6() != has_brackets) return std::nullopt;
  return boost::asio::ip::tcp::endpoint(address, port);
}

std::optional<boost::asio::ip::tcp::endpoint> parse_tls_address(std::string const& text) {
  if (text.empty()) return std::nullopt;
  auto const parsed = parse_endpoint(text);
  if (!parsed) throw std::invalid_argument("expected an address and port such as 0.0.0.0:8443 or [::]:8443");
  return parsed;
}

/// `127.0.0.1:9180`, `[::1]:9180`, or the path of a Unix socket; nothing if it is empty.
std::optional<boost::asio::generic::stream_protocol::endpoint> parse_admin_address(std::string const& text) {
  constexpr auto expected =
      "expected an address and port such as 127.0.0.1:9180 or [::1]:9180, or the path of a Unix socket such as "
      "/run/chorus/admin.sock";
  if (text.empty()) return std::nullopt;
  if (text.front() == '/') {
    if (text.size() >= sizeof(sockaddr_un::sun_path))
      throw std::invalid_argument("expected a path of at most 107 bytes");
    return boost::asio::local::stream_protocol::endpoint(text);
  }
  auto const parsed = parse_endpoint(text);
  if (!parsed) throw std::invalid_argument(expected);
  return *parsed;
}

/// The Origin of a web page: `scheme://host` or `scheme://host:port`, or `*` for any.
std::string parse_origin(std::string const& text) {
  auto const scheme = text.find("://");
  auto const host = scheme == std::string::npos ? "" : text.substr(scheme + 3);
  if (text != "*" && (scheme == 0 || host.empty() || host.find_first_of("/?# ") != std::string::npos))
    throw std::invalid_argument(
        "expected an origin such as https://example.org or http://localhost:3000, without a path, or *");
  return text;
}

spdlog::level::level_enum parse_level(std::string const& text) {
  auto const level = spdlog::level::from_str(text);
  // What an unknown name is parsed as.
  if (level == spdlog::level::off && text != "off")
    throw std::invalid_argument("expected trace, debug, info, warn, error, critical or off");
  return level;
}

/// All options: this table is the one place to add another.
cli::program describe(options& to) {
  using namespace cli;
  auto& s = to.server;
  std::vector<option_group> groups = {
      {"Listening",
       {
           {"address", "IP", "0.0.0.0", "listen on this address; :: is IPv6 and IPv4", into(s.address, parse_address)},
           {"port", "N", "8080", "listen on this port; 0 picks a free one and logs it",
            into(s.port, count(0, UINT16_MAX)), "PORT"},
           {"tls-address", "IP:PORT", "",
            "listen there too, for https and wss; 0.0.0.0:8443, or [::]:8443; needs a certificate and its key",
            into(s.tls_address, parse_tls_address)},
           {"tls-certificate", "FILE", "",
            "in PEM: the server's certificate, then those that lead from it to a root; SIGHUP reads it again",
            into(s.tls.certificate)},
           {"tls-key", "FILE", "", "in PEM, not encrypted: the key of the certificate", into(s.tls.key)},
           {"admin-address", "ADDRESS", "127.0.0.1:9180",
            "/metrics, /healthz, /readyz and /rooms are there, for whoever can connect; IP:PORT, or the path of a Unix "
            "socket; empty is off",
            into(s.admin, parse_admin_address)},
           {"allow-origin", "ORIGIN", "",
            "pages from there may connect too, not only from the server's own host; https://example.org, or * for any; "
            "may be repeated",
            append_to(s.allow_origins, parse_origin)},
           {"trusted-proxy", "NETWORK", "",
            "a proxy there says who its client is, by PROXY protocol version 2, X-Forwarded-For or Forwarded, for logs "
            "and limits; 127.0.0.1, 10.0.0.0/8 or fd00::/8; may be repeated",
            append_to(s.trusted_proxies, parse_address_range)},
           {"threads", "N", "0", "serve with so many threads; 0 is one for each CPU that the process may use",
            into(s.threads, count(0, 1024))},
           {"no-page", "", "", "serve no page at /, only what programs use",
            into(s.page, [](std::string const& text) { return !parse_flag(text); })},
       }},
      {"Timeouts (15s, 200ms, 1h; a bare number is seconds; 0 is off)",
       {
           {"handshake-timeout", "TIME", "10s", "from connecting, or the last answer, to the end of a request",
            into(s.handshake_timeout, parse_duration)},
           {"ping-interval", "TIME", "15s", "a silent peer is pinged this often",
            into(s.ping_interval, parse_duration)},
           {"ping-timeout", "TIME", "15s",
            "for the answer to a ping or to a close frame that has reached the peer; then 1011 Ping timeout",
            into(s.ping_timeout, parse_duration)},
           {"write-timeout", "TIME", "10s",
            "a peer that data waits for acknowledges no byte for that long: it is cut off",
            into(s.write_timeout, parse_duration)},
           {"drain-delay", "TIME", "0", "after the signal to stop, go on for that long with /readyz answering 503",
            into(s.drain_delay, parse_duration)},
           {"drain-timeout", "TIME", "10s", "for everyone to leave when the server stops; 0 is at once",
            into(s.drain_timeout, parse_duration)},
       }},
      {"Limits (64KiB, 1MiB; a bare number is bytes)",
       {
           {"max-header-size", "SIZE", "8KiB", "request line and headers; over it 431",
            into(s.max_header_size, size(256, most_max_header_size))},
           {"max-message-size", "SIZE", "64KiB", "one message from a peer; over it 1009; 0 is no limit",
            into(s.max_message_size, size(0, GiB))},
           {"outbound-limit", "SIZE", "1MiB",
            "what may wait for one slow peer; over it messages are skipped, with a notice",
            into(s.outbound_limit, size(KiB, GiB))},
           {"unsent-limit", "SIZE", "64KiB",
            "what the kernel takes for a peer and cannot send yet; 0 leaves it to the system",
            into(s.unsent_limit, size(0, GiB))},
           {"max-connections", "N", "10000",
            "WebSockets in all; over it 503; 0 is no limit; 128 more may speak plain HTTP, those that wait longest "
            "give "
            "way",
            into(s.max_connections, count(0, UINT32_MAX))},
           {"max-connections-per-address", "N", "0", "the same, from one address; 0 is no limit",
            into(s.max_connections_per_address, count(0, UINT32_MAX))},
           {"rate-limit", "N", "0",
            "messages per second from one connection; above it the server reads slower; 0 is no limit",
            into(s.rate_limit, count(0, 1'000'000))},
           {"rate-burst", "N", "100", "messages that may come at once before that",
            into(s.rate_burst, count(1, 1'000'000))},
       }},
      {"Rooms",
       {
           {"max-rooms", "N", "10000",
            "over it the room that is empty longest goes; if there is none, a new room is refused with 503; 0 is no "
            "limit",
            into(s.rooms.max_rooms, count(0, UINT32_MAX))},
           {"history-messages", "N", "1000", "messages that are kept of each room, for those who join; 0 keeps none",
            into(s.rooms.history_messages, count(0, UINT32_MAX))},
           {"history-bytes", "SIZE", "1MiB", "what a room's history may take; 0 keeps none",
            into(s.rooms.history_bytes, size(0, GiB))},
           {"history-memory", "SIZE", "256MiB",
            "the same for all rooms together: those that are empty longest go, then the oldest messages; 0 is no limit",
            into(s.rooms.history_memory, size(0, 1024 * GiB))},
           {"history-ttl", "TIME", "1h", "a room outlives its last member by that long; 0 is not at all",
            into(s.rooms.history_ttl, parse_duration)},
           {"announce-limit", "N", "1000",
            "above so many members joins, leaves and renames are not announced; 0 never announces them",
            into(s.rooms.announce_limit, count(0, UINT32_MAX))},
           {"large-room", "N", "256",
            "so many members of a room are served by one thread, and further ones by all threads",
            into(s.rooms.large_room, count(0, UINT32_MAX))},
       }},
      {"Logging",
       {
           {"log-level", "LEVEL", "info", "trace, debug, info, warn, error, critical or off",
            into(to.log_level, parse_level)},
           {"log-format", "FORMAT", "text", "text, or json: one object per line",
            into(to.format, one_of<log_format>({{"text", log_format::text}, {"json", log_format::json}}))},
           {"log-limit", "N", "100",
            "lines of each event per second, up to warnings; how many more there were is said; 0 is no limit",
            into(to.log_limit, count(0, UINT32_MAX))},
           {"slow-turn", "TIME", "0",
            "warn when one turn of the event loop takes more CPU time: meanwhile nobody else is served",
            into(s.slow_turn, parse_duration)},
       }},
      {"Checking",
       {
           {"check-config", "", "", "say whether options and files would do, and exit; it listens nowhere",
            into(to.only_check)},
       }},
  };
  program result{"chorus-server", usage, std::move(groups), other_sources};
  result.variable_prefix = "CHORUS_";
  return result;
}

}  // namespace

options parse_options(std::span<char const* const> arguments, cli::environment const& variables) {
  options result;
  result.answer = cli::read(describe(result), arguments, variables).answer;
  auto const& s = result.server;
  auto const has_files = !s.tls.certificate.empty() && !s.tls.key.empty();
  auto const has_file = !s.tls.certificate.empty() || !s.tls.key.empty();
  if (s.tls_address ? !has_files : has_file)
    throw cli::usage_error("--tls-address, --tls-certificate and --tls-key go together: all of them, or none");
  return result;
}

}  // namespace chorus
