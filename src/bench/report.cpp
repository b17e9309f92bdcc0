#include "bench/report.hpp"

#include <algorithm>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace chorus::bench {

namespace {

/// 1234567 as 1,234,567.
std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

/// With three digits that count.
std::string rounded(double number) {
  if (number >= 1000) return grouped(static_cast<std::uint64_t>(std::llround(number)));
  return fmt::format("{:.{}f}", number, number >= 100 ? 0 : number >= 10 ? 1 : number >= 1 ? 2 : 3);
}

std::string duration_text(double us) {
  if (us >= 1e6) return rounded(us / 1e6) + " s";
  if (us >= 1e3) return rounded(us / 1e3) + " ms";
  return rounded(us) + " us";
}

std::string bytes_text(double bytes) {
  if (bytes >= 1024 * 1024) return rounded(bytes / (1024 * 1024)) + " MiB";
  if (bytes >= 1024) return rounded(bytes / 1024) + " KiB";
  return rounded(bytes) + " B";
}

std::string in_unit_of(std::string const& key, double number) {
  auto const names = [&key](char const* unit) { return key.find(unit) != std::string::npos; };
  if (key.ends_with("busy")) return fmt::format("{:.0f} %", number * 100);
  if (names("_bytes")) return bytes_text(number);
  if (names("_us")) return duration_text(number);
  if (names("_per_s")) return rounded(number) + " /s";
  if (names("_s")) return duration_text(number * 1e6);
  return rounded(number);
}

struct as_text {
  std::string const& key;

  std::string operator()(std::uint64_t number) const {
    return key.find("_bytes") == std::string::npos ? grouped(number) : bytes_text(static_cast<double>(number));
  }
  std::string operator()(double number) const { return in_unit_of(key, number); }
  std::string operator()(std::string const& text) const { return text; }
  std::string operator()(percentiles const& p) const {
    return fmt::format("p50 {}, p90 {}, p99 {}, p99.9 {}, max {}", duration_text(p.p50), duration_text(p.p90),
                       duration_text(p.p99), duration_text(p.p99_9), duration_text(p.max));
  }
};

struct as_json {
  boost::json::value operator()(percentiles const& p) const {
    return {{"p50", p.p50}, {"p90", p.p90}, {"p99", p.p99}, {"p99_9", p.p99_9}, {"max", p.max}};
  }
  template <class Plain>
  boost::json::value operator()(Plain const& plain) const {
    return boost::json::value_from(plain);
  }
};

}  // namespace

void report::add(std::string key, value found, std::string label) {
  figures_.push_back({std::move(key), std::move(found), std::move(label)});
}

std::string report::table() const {
  std::size_t width = 0;
  for (auto const& f : figures_) width = std::max(width, f.label.size());
  std::string lines;
  for (auto const& f : figures_)
    if (!f.label.empty()) lines += fmt::format("  {:<{}}  {}\n", f.label, width, std::visit(as_text{f.key}, f.found));
  return lines;
}

boost::json::object report::json() const {
  boost::json::object all;
  for (auto const& f : figures_) {
    auto const dot = f.key.find('.');
    auto* in = &all;
    if (dot != std::string::npos) {
      auto& inner = all[f.key.substr(0, dot)];
      in = inner.is_object() ? &inner.get_object() : &inner.emplace_object();
    }
    (*in)[dot == std::string::npos ? f.key : f.key.substr(dot + 1)] = std::visit(as_json{}, f.found);
  }
  return all;
}

}  // namespace chorus::bench
