#pragma once
// What a run found, for people and for programs.

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "bench/latencies.hpp"

namespace chorus::bench {

/// Figures in the order in which they are to be read.
class report {
 public:
  using value = std::variant<std::uint64_t, double, std::string, percentiles>;

  /// A key is `name`, or `object.name` where JSON nests. Its end says the unit: `_us`, `_s`, `_per_s`, `_bytes`,
  /// `busy` (a share of 1); otherwise the figure is a plain number. The label is for people; without one, only programs
  /// are told.
  void add(std::string key, value found, std::string label = {});

  /// One line for each figure.
  std::string table() const;
  boost::json::object json() const;

 private:
  struct figure {
    std::string key;
    value found;
    std::string label;
  };

  std::vector<figure> figures_;
};

}  // namespace chorus::bench
