#include "bench/seating.hpp"

namespace chorus::bench {

std::size_t seating::seat_of(std::size_t sender, std::size_t participants) const {
  auto const room = room_of_sender(sender);
  auto const in_room = (participants - room + rooms - 1) / rooms;
  auto const place = (2 * (sender % senders_each) + 1) * in_room / (2 * senders_each);
  return room + place * rooms;
}

std::vector<std::size_t> seating::shares(std::size_t messages) const {
  std::vector<std::size_t> found(senders(), messages / senders());
  for (std::size_t s = 0; s != messages % senders(); ++s) ++found[s];
  return found;
}

}  // namespace chorus::bench
