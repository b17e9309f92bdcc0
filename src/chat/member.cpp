#include "chat/member.hpp"

#include <utility>

namespace chorus {

member::member(audience& in, recipient& hears)
    : audience_(in), id_(in.commons().next_member()), speaks_(hears.speaks()) {
  in.add(id_, hears);
}

// Once it is in the audience, the destructor takes it out, also if the rest throws.
member::member(audience& in, recipient& hears, join_request const& wishes) : member(in, hears) {
  // A cursor means nothing to those who are not told where they are.
  auto const since = speaks_ == dialect_id::json ? wishes.since : std::nullopt;
  in.link().expect(id_, {speaks_, hears.out().limit(), wishes.history, since});
  append(draft::kind::join, wishes.name);
}

member::~member() {
  audience_.remove(id_);
  try {
    append(draft::kind::leave);
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // There is no memory to say so: the others see it until the room ends.
  }
}

void member::say(std::string text, std::string id) { append(draft::kind::say, std::move(text), std::move(id)); }

void member::rename(std::string name, std::string id) { append(draft::kind::rename, std::move(name), std::move(id)); }

void member::ask(std::variant<ask_users, replay> what) { audience_.link().ask({id_, speaks_, std::move(what)}); }

void member::append(draft::kind wants, std::string text, std::string id) {
  audience_.append({id_, ++drafts_, audience_.commons().now(), wants, std::move(text), std::move(id)});
}

}  // namespace chorus
