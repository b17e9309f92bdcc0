#pragma once
// The Asio vocabulary of the whole program, named once.
//
// Everything runs on one io_context per thread. The concrete executor type is used throughout, not any_io_executor: it
// is smaller, and an awaitable that forgets which executor it belongs to does not compile.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace chorus {

namespace net = boost::asio;
using boost::system::error_code;

using executor = net::io_context::executor_type;
using tcp = net::ip::tcp;
using tcp_socket = net::basic_stream_socket<tcp, executor>;
using tcp_acceptor = net::basic_socket_acceptor<tcp, executor>;
using clock = std::chrono::steady_clock;
using timer = net::basic_waitable_timer<clock, net::wait_traits<clock>, executor>;

template <class T = void>
using awaitable = net::awaitable<T, executor>;

/// Completion token: `co_await op(use_awaitable)` throws what goes wrong.
inline constexpr net::use_awaitable_t<executor> use_awaitable;

/// Completion token: `auto [ec, n] = co_await op(nothrow)`. For everything that may fail in normal life. `deferred`,
/// since `use_awaitable` would make a coroutine of every operation, with a frame of its own.
inline constexpr auto nothrow = net::as_tuple(net::deferred);

}  // namespace chorus
