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

block part_of(block all, std::size_t part, std::size_t parts) {
  auto const begin = all.count * part / parts;
  auto const end = all.count * (part + 1) / parts;
  return {all.first + begin, end - begin};
}

}  // namespace chorus::bench
