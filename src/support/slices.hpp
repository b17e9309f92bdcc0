#pragma once
// Long loops that leave the thread to others now and then.

#include <boost/asio/post.hpp>
#include <cstddef>

#include "support/asio.hpp"

namespace chorus {

/// How much of a long loop is done at a time: so many sends take about a millisecond.
inline constexpr std::size_t slice = 256;

/// True when step `number`, counted from 0, is the last of a slice.
constexpr bool ends_slice(std::size_t number) { return number % slice == slice - 1; }

/// Everyone who is ready has a turn before it returns.
inline awaitable<void> let_others_run(executor ex) { co_await net::post(ex, use_awaitable); }

}  // namespace chorus
