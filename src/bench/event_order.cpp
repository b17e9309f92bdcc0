#include "bench/event_order.hpp"

#include <fmt/format.h>

#include "bench/check_failed.hpp"

namespace chorus::bench {

void event_order::heard(json_event const& what) {
  std::visit([this](auto const& event) { follow(event); }, what);
}

void event_order::follow(welcome const& greeting) {
  if (last_) throw check_failed("was welcomed for a second time");
  last_ = greeting.seq;
  own_name_ = greeting.name;
}

void event_order::follow(message const& said) { advance_to(said.seq); }

void event_order::follow(presence const& change) {
  if (change.name == own_name_) holes_are_faults_ = true;
  advance_to(change.seq);
  holes_are_faults_ = true;
}

void event_order::follow(gap const& missing) {
  advance_to(missing.from);
  if (missing.to < missing.from)
    throw check_failed(fmt::format("was told of a gap from seq {} to {}", missing.from, missing.to));
  last_ = missing.to;
  holes_are_faults_ = false;
}

void event_order::follow(turn const&) { holes_are_faults_ = false; }

void event_order::advance_to(std::uint64_t seq) {
  if (!last_) throw check_failed(fmt::format("got seq {} before it was welcomed", seq));
  auto const due = *last_ + 1;
  if (seq < due)
    throw check_failed(fmt::format("got seq {}, out of order or for a second time; due was seq {}", seq, due));
  if (seq > due && holes_are_faults_)
    throw check_failed(fmt::format("got seq {}, out of order, or others were lost; due was seq {}", seq, due));
  last_ = seq;
}

}  // namespace chorus::bench
