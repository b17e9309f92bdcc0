#pragma once
// The names that are taken in a room.

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace chorus {

/// Gives everyone a name that is nobody else's: the one that is wanted, or else the first free of `bob-2`, `bob-3`, ...
/// Two names are the same by `name_key`. Neither taking nor giving back takes much longer where many want the
/// same.
///
/// Pure: the same calls give the same names everywhere.
class unique_names {
 public:
  /// The name that is wanted, a valid one, or the first free of those made from it.
  std::string take(std::string wanted);
  /// `name` was taken, and is free again.
  void give_back(std::string_view name);

 private:
  /// Names that differ only in the number at their end.
  struct series {
    std::size_t next = 2;             ///< no smaller number is free, save for these
    std::set<std::size_t> free = {};  ///< smaller than that
    std::size_t taken = 0;
  };

  bool try_take(std::string key);

  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, series> numbered_;  ///< by the key of what is before the number
};

}  // namespace chorus
