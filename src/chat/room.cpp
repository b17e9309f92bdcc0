#include "chat/room.hpp"

#include <utility>

namespace chorus {

member::member(room& in, std::string name, dialect const& speaks, outbound_channel& out)
    : room_(in), name_(std::move(name)), dialect_(speaks), out_(out) {
  out_.push(make_packet(dialect_.greeting(room_.users() + 1)));
  room_.broadcaster_.add(dialect_, out_);
}

member::~member() { room_.broadcaster_.remove(dialect_, out_); }

void member::say(std::string text) { room_.log_.append(name_, std::move(text)); }

}  // namespace chorus
