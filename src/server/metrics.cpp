#include "server/metrics.hpp"

#include <boost/version.hpp>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <span>
#include <string_view>
#include <utility>

namespace chorus {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

constexpr double microsecond = 1e-6;

double sum(std::span<std::uint64_t const> of) {
  std::uint64_t all = 0;
  for (auto const each : of) all += each;
  return static_cast<double>(all);
}

/// One family of metrics after the other.
class exposition {
 public:
  class family {
   public:
    explicit family(prometheus::MetricFamily& to) : to_(to) {}

    family& add(labels which, double value) {
      auto& metric = to_.metric.emplace_back();
      metric.label = std::move(which);
      if (to_.type == MetricType::Counter) {
        metric.counter.value = value;
      } else {
        metric.gauge.value = value;
      }
      return *this;
    }
    family& add(labels which, std::uint64_t value) { return add(std::move(which), static_cast<double>(value)); }

    /// Of values that are `unit` each.
    family& add(labels which, histogram const& of, double unit) {
      auto& metric = to_.metric.emplace_back();
      metric.label = std::move(which);
      auto& into = metric.histogram;
      for (std::size_t i = 0; i != histogram::bounded; ++i) {
        into.sample_count += of.count(i);
        into.bucket.push_back({into.sample_count, static_cast<double>(histogram::bound(i)) * unit});
      }
      into.sample_count += of.count(histogram::bounded);
      into.sample_sum = static_cast<double>(of.sum()) * unit;
      return *this;
    }

   private:
    prometheus::MetricFamily& to_;
  };

  family counter(std::string name, std::string help) {
    return begin(std::move(name), std::move(help), MetricType::Counter);
  }
  family gauge(std::string name, std::string help) {
    return begin(std::move(name), std::move(help), MetricType::Gauge);
  }
  family distribution(std::string name, std::string help) {
    return begin(std::move(name), std::move(help), MetricType::Histogram);
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(all_); }

 private:
  family begin(std::string name, std::string help, MetricType type) {
    return family(all_.emplace_back(prometheus::MetricFamily{std::move(name), std::move(help), type, {}}));
  }

  std::vector<prometheus::MetricFamily> all_;
};

void tell_connections(exposition& to, server_reading const& now, session_tally const& all) {
  auto open = to.gauge("chorus_connections", "Connections that are open, by phase and dialect.");
  open.add({{"phase", "http"}, {"dialect", "none"}}, now.http_connections);
  for (std::size_t i = 0; i != all.open.size(); ++i)
    open.add({{"phase", "websocket"}, {"dialect", std::string(session_kind_names[i])}}, all.open[i]);

  to.counter("chorus_connections_accepted_total", "Connections that were accepted.").add({}, now.admission.accepted);
  auto refused =
      to.counter("chorus_connections_refused_total", "Connections and WebSockets that were refused, by reason.");
  for (auto const& [why, count] : now.admission.refused) refused.add({{"reason", std::string(why)}}, count);
  auto answers =
      to.counter("chorus_http_responses_total", "Requests that were answered and opened no WebSocket, by status.");
  for (auto const& [status, count] : now.admission.answers) answers.add({{"code", std::to_string(status)}}, count);

  auto opened = to.counter("chorus_sessions_opened_total", "WebSockets that were opened, by dialect.");
  for (std::size_t i = 0; i != all.opened.size(); ++i)
    opened.add({{"dialect", std::string(session_kind_names[i])}}, all.opened[i]);
  auto ended = to.counter("chorus_sessions_ended_total", "WebSockets that have ended, by reason.");
  for (std::size_t i = 0; i != all.ended.size(); ++i)
    ended.add({{"reason", std::string(ending_names[i])}}, all.ended[i]);
}

void tell_traffic(exposition& to, session_tally const& sessions, room_tally const& rooms) {
  to.counter("chorus_messages_received_total", "Messages that were heard from peers.").add({}, sessions.messages);
  to.counter("chorus_received_bytes_total", "Bytes in the messages that were heard.").add({}, sessions.bytes_received);
  to.counter("chorus_sent_bytes_total", "Bytes that WebSockets' connections have taken.").add({}, sessions.bytes_sent);
  to.counter("chorus_messages_broadcast_total", "Messages that were said in rooms.").add({}, rooms.messages);
  to.counter("chorus_deliveries_total", "Messages that were passed on to members, once for each of them.")
      .add({}, rooms.deliveries);
  to.distribution("chorus_batch_messages", "Messages in what was fanned out at once.").add({}, rooms.batch_messages, 1);
  to.distribution("chorus_fan_out_seconds", "Time to fan a batch out to the members on one shard.")
      .add({}, rooms.fan_out, microsecond);
  to.counter("chorus_gaps_total", "Gaps that slow peers were told of.").add({}, sessions.gaps);
  to.counter("chorus_messages_skipped_total", "Messages that slow peers did not get.").add({}, sessions.skipped);
  to.counter("chorus_rate_limit_pauses_total", "Pauses of reading from peers that said too much.")
      .add({}, sessions.pauses);
}

void tell_shards(exposition& to, std::span<shard_reading const> shards) {
  auto const each = [shards](exposition::family family, auto value) {
    for (std::size_t i = 0; i != shards.size(); ++i) family.add({{"shard", std::to_string(i)}}, value(shards[i]));
  };
  each(to.gauge("chorus_shard_sessions", "WebSockets that are open, by shard."),
       [](shard_reading const& s) { return sum(s.sessions.open); });
  each(to.gauge("chorus_rooms", "Rooms, by home shard."),
       [](shard_reading const& s) { return static_cast<double>(s.room_count); });
  each(to.gauge("chorus_history_bytes", "Memory that the histories of rooms take, by home shard."),
       [](shard_reading const& s) { return static_cast<double>(s.history_bytes); });
  each(to.gauge("chorus_sessions_behind", "WebSockets for which something waits to be sent, by shard."),
       [](shard_reading const& s) { return static_cast<double>(s.behind); });
  each(to.gauge("chorus_outbound_backlog_bytes", "Bytes that wait to be sent, by shard."),
       [](shard_reading const& s) { return static_cast<double>(s.waiting_bytes); });
  auto lag = to.distribution("chorus_event_loop_lag_seconds", "How late an event loop's timers are, by shard.");
  for (std::size_t i = 0; i != shards.size(); ++i)
    lag.add({{"shard", std::to_string(i)}}, shards[i].sessions.lag, microsecond);
}

void tell_process(exposition& to, process_figures const& of) {
  to.counter("process_cpu_seconds_total", "User and system CPU time.").add({}, of.cpu_seconds);
  to.gauge("process_start_time_seconds", "When the process started, since the Unix epoch.")
      .add({}, of.start_time_seconds);
  to.gauge("process_resident_memory_bytes", "Resident memory.").add({}, of.resident_bytes);
  to.gauge("process_virtual_memory_bytes", "Virtual memory.").add({}, of.virtual_bytes);
  to.gauge("process_threads", "Threads.").add({}, of.threads);
  to.gauge("process_open_fds", "Open file descriptors.").add({}, of.open_descriptors);
  to.gauge("process_max_fds", "Most file descriptors that may be open.").add({}, of.most_descriptors);
}

}  // namespace

std::string to_prometheus(server_reading const& now) {
  session_tally sessions;
  room_tally rooms;
  for (auto const& shard : now.shards) {
    sessions += shard.sessions;
    rooms += shard.rooms;
  }
  exposition to;
  to.gauge("chorus_build_info", "What is running; always 1.")
      .add({{"version", CHORUS_VERSION}, {"compiler", __VERSION__}, {"boost", BOOST_LIB_VERSION}}, 1.0);
  to.gauge("chorus_ready", "1 if new clients should come here, 0 while it stops.").add({}, now.ready ? 1.0 : 0.0);
  to.gauge("chorus_tls_certificate_expiry_timestamp_seconds",
           "When the certificate ends, since the Unix epoch; 0 without TLS.")
      .add({}, static_cast<double>(now.certificate_expiry));
  tell_connections(to, now, sessions);
  tell_traffic(to, sessions, rooms);
  tell_shards(to, now.shards);
  tell_process(to, now.process);
  return to.text();
}

}  // namespace chorus
