#include "chat/room.hpp"

#include <utility>

namespace chorus {

member::member(room& in, dialect const& speaks, outbound_channel& out)
    : room_(in), name_("user" + std::to_string(in.named_++)), place_(in.audience_, speaks, out) {
  // Nothing comes in between: a batch is fanned out in a turn of its own.
  out.push(make_packet(speaks.greeting(room_.users())));
}

void member::say(std::string text) { room_.log_.append(name_, std::move(text)); }

}  // namespace chorus
