#pragma once
// What TCP takes of this machine's memory, beside what processes have (Linux).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chorus::bench {

/// What all TCP sockets of this machine hold in their buffers, at both ends of connections within it, in bytes.
/// Nothing if the kernel does not say.
std::optional<std::size_t> tcp_memory();

/// How often, since the machine started, all of that together came near its limit (`net.ipv4.tcp_mem`). The kernel
/// drops data then, and sends it again a good while later. Nothing if it does not say.
std::optional<std::uint64_t> tcp_memory_shortages();

/// The same, from the text of /proc/net/sockstat; in pages.
std::optional<std::uint64_t> find_tcp_pages(std::string_view sockstat);
/// The same, from the text of /proc/net/netstat.
std::optional<std::uint64_t> find_tcp_shortages(std::string_view netstat);

}  // namespace chorus::bench
