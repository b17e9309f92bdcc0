#include "option_table.hpp"

#include <cstdint>
#include <limits>

#include "support/option_values.hpp"

namespace chorus {

namespace {

auto duration_into(duration settings::* member) {
  return [member](options& o, std::string const& value) { o.server.*member = parse_duration(value); };
}

auto size_into(std::size_t settings::* member, std::size_t least, std::size_t most) {
  return [=](options& o, std::string const& value) { o.server.*member = parse_size(value, least, most); };
}

auto count_into(std::size_t settings::* member) {
  return [member](options& o, std::string const& value) { o.server.*member = parse_count(value, 0, UINT32_MAX); };
}

void set_address(options& o, std::string const& value) {
  boost::system::error_code ec;
  o.server.address = boost::asio::ip::make_address(value, ec);
  if (ec) throw std::invalid_argument("expected an IP address such as 0.0.0.0, 127.0.0.1 or ::");
}

void set_port(options& o, std::string const& value) {
  o.server.port = static_cast<std::uint16_t>(parse_count(value, 0, UINT16_MAX));
}

void add_origin(options& o, std::string const& value) { o.server.allow_origins.push_back(parse_origin(value)); }

void set_level(options& o, std::string const& value) {
  o.log_level = spdlog::level::from_str(value);
  // An unknown name parses as `off`.
  if (o.log_level == spdlog::level::off && value != "off")
    throw std::invalid_argument("expected trace, debug, info, warn, error, critical or off");
}

void set_format(options& o, std::string const& value) {
  if (value != "text" && value != "json") throw std::invalid_argument("expected text or json");
  o.format = value == "json" ? log_format::json : log_format::text;
}

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;
constexpr std::size_t GiB = 1024 * MiB;

option const table[] = {
    {"Listening", "address", "IP", "0.0.0.0", "listen on this address; :: is IPv6 and IPv4", set_address},
    {"", "port", "N", "8080", "listen on this port; 0 picks a free one and logs it", set_port},
    {"", "allow-origin", "ORIGIN", "",
     "pages from there may connect too, not only from the server's own host; https://example.org, or * for any; may be "
     "repeated",
     add_origin, [](options& o) { o.server.allow_origins.clear(); }},

    {"Timeouts (15s, 200ms, 1h; a bare number is seconds; 0 is off)", "handshake-timeout", "TIME", "10s",
     "from connecting, or the last answer, to the end of a request", duration_into(&settings::handshake_timeout)},
    {"", "ping-interval", "TIME", "15s", "a silent peer is pinged this often", duration_into(&settings::ping_interval)},
    {"", "ping-timeout", "TIME", "15s",
     "for the answer to a ping or to a close frame that has reached the peer; then 1011 Ping timeout",
     duration_into(&settings::ping_timeout)},
    {"", "write-timeout", "TIME", "10s", "a peer that data waits for acknowledges no byte for that long: it is cut off",
     duration_into(&settings::write_timeout)},
    {"", "drain-delay", "TIME", "0", "after the signal to stop, go on for that long with /readyz answering 503",
     duration_into(&settings::drain_delay)},
    {"", "drain-timeout", "TIME", "10s", "for everyone to leave when the server stops; 0 is at once",
     duration_into(&settings::drain_timeout)},

    {"Limits (64KiB, 1MiB; a bare number is bytes)", "max-header-size", "SIZE", "8KiB",
     "request line and headers; over it 431", size_into(&settings::max_header_size, 256, most_max_header_size)},
    {"", "max-message-size", "SIZE", "64KiB", "one message from a peer; over it 1009; 0 is no limit",
     size_into(&settings::max_message_size, 0, GiB)},
    {"", "outbound-limit", "SIZE", "1MiB",
     "what may wait for one slow peer; over it messages are skipped, with a notice",
     size_into(&settings::outbound_limit, KiB, GiB)},
    {"", "unsent-limit", "SIZE", "64KiB",
     "what the kernel takes for a peer and cannot send yet; 0 leaves it to the system",
     size_into(&settings::unsent_limit, 0, GiB)},
    {"", "max-connections", "N", "10000",
     "WebSockets in all; over it 503; 0 is no limit; 128 more may speak plain HTTP, those that wait longest give way",
     count_into(&settings::max_connections)},
    {"", "max-connections-per-address", "N", "0", "the same, from one address; 0 is no limit",
     count_into(&settings::max_connections_per_address)},

    {"Logging", "log-level", "LEVEL", "info", "trace, debug, info, warn, error, critical or off", set_level},
    {"", "log-format", "FORMAT", "text", "text, or json: one object per line", set_format},
    {"", "slow-turn", "TIME", "0",
     "warn when one turn of the event loop takes more CPU time: meanwhile nobody else is served",
     [](options& o, std::string const& value) { o.slow_turn = parse_duration(value); }},
};

}  // namespace

std::span<option const> option_table() { return table; }

}  // namespace chorus
