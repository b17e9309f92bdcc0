#pragma once
// Who is who, when nobody says.

#include <cstdint>
#include <string>

namespace chorus {

/// Hands out `user0`, `user1`, ... in order; none is used twice while the server runs.
class name_sequence {
 public:
  std::string next() { return "user" + std::to_string(next_++); }

 private:
  std::uint64_t next_ = 0;
};

}  // namespace chorus
