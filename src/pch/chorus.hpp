// What nearly every source includes, compiled once for each library. A source includes what it needs all the same:
// without precompiled headers, as `./dev lint` compiles, nothing else is there.

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <spdlog/logger.h>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "support/asio.hpp"
