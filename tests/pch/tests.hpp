// What nearly every test includes, compiled once for each program. A test includes what it needs all the same.

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/logger.h>

#include "support/asio.hpp"
