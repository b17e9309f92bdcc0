#include "server/service_manager.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "cli/values.hpp"

namespace chorus {

namespace {

using namespace std::chrono_literals;
constexpr std::chrono::microseconds usual_interval = 5s;
constexpr std::uint64_t longest_watchdog = std::chrono::microseconds(24h).count();

[[noreturn]] void complain(std::string_view variable, std::string_view value, std::string_view why) {
  throw std::runtime_error(fmt::format("{}: '{}' will not do: {}", variable, value, why));
}

std::chrono::microseconds watchdog_of(cli::environment const& variables) {
  auto const time = variables.find("WATCHDOG_USEC");
  auto const whose = variables.find("WATCHDOG_PID");
  if (time == variables.end() || (whose != variables.end() && whose->second != std::to_string(::getpid()))) return 0us;
  try {
    return std::chrono::microseconds(cli::parse_count(time->second, 0, longest_watchdog));
  } catch (std::invalid_argument const& e) {
    complain("WATCHDOG_USEC", time->second, e.what());
  }
}

}  // namespace

service_manager::service_manager(cli::environment const& variables)
    : sockets(variables), watchdog_(watchdog_of(variables)) {
  if (auto const address = variables.find("NOTIFY_SOCKET"); address != variables.end()) listen_to(address->second);
}

service_manager::service_manager(service_manager&& other) noexcept
    : sockets(std::move(other.sockets)),
      socket_(std::exchange(other.socket_, -1)),
      watchdog_(other.watchdog_),
      told_sessions_(other.told_sessions_) {}

service_manager::~service_manager() {
  if (socket_ != -1) ::close(socket_);
}

void service_manager::listen_to(std::string const& address) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.size() < 2 || address.size() >= sizeof(to.sun_path) || (address[0] != '/' && address[0] != '@'))
    complain("NOTIFY_SOCKET", address, "expected the path of a socket, or @ and an abstract name");
  std::ranges::copy(address, to.sun_path);
  // An abstract name begins with NUL, and its length says where it ends.
  if (address[0] == '@') to.sun_path[0] = '\0';
  auto const size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ != -1 && ::connect(socket_, reinterpret_cast<sockaddr const*>(&to), size) == 0) return;
  auto const why = std::generic_category().message(errno);
  if (socket_ != -1) ::close(socket_);
  complain("NOTIFY_SOCKET", address, why);
}

std::optional<std::chrono::microseconds> service_manager::report_interval() const {
  if (socket_ == -1) return std::nullopt;
  return watchdog_ == 0us ? usual_interval : watchdog_ / 2;
}

void service_manager::reloading() const noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  std::array<char, 64> text{};
  auto const end = fmt::format_to_n(text.data(), text.size(), "RELOADING=1\nMONOTONIC_USEC={}",
                                    std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000);
  tell({text.data(), end.size});
}

void service_manager::alive(std::ptrdiff_t sessions) {
  if (watchdog_ != 0us) tell("WATCHDOG=1");
  if (std::exchange(told_sessions_, sessions) != sessions) tell(fmt::format("STATUS={} sessions", sessions));
}

void service_manager::tell(std::string_view state) const noexcept {
  if (socket_ != -1) ::send(socket_, state.data(), state.size(), MSG_NOSIGNAL);
}

}  // namespace chorus
