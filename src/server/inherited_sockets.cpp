#include "server/inherited_sockets.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <range/v3/algorithm/find.hpp>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "cli/values.hpp"

namespace chorus {

namespace {

constexpr int first_descriptor = 3;
constexpr std::array<std::string_view, 3> known_names{"http", "https", "admin"};

std::string value_of(cli::environment const& variables, std::string const& name) {
  auto const found = variables.find(name);
  return found == variables.end() ? "" : found->second;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(end + 1)) {
    end = text.find(':');
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return parts;
}

bool has_option(int number, int option, int expected) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(number, SOL_SOCKET, option, &value, &size) == 0 && value == expected;
}

}  // namespace

int family_of(int socket) {
  sockaddr_storage local{};
  socklen_t size = sizeof(local);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&local), &size);
  return local.ss_family;
}

inherited_sockets::inherited_sockets(cli::environment const& variables) {
  // Those of another process were inherited by mistake.
  if (value_of(variables, "LISTEN_PID") != std::to_string(::getpid())) return;
  auto const text = value_of(variables, "LISTEN_FDS");
  int count = 0;
  try {
    count = static_cast<int>(cli::parse_count(text, 0, known_names.size()));
  } catch (std::invalid_argument const& e) {
    throw std::runtime_error(fmt::format("LISTEN_FDS: '{}' will not do: {}", text, e.what()));
  }
  auto names = split(value_of(variables, "LISTEN_FDNAMES"));
  names.resize(known_names.size());
  for (int i = 0; i != count; ++i) {
    auto const& name = names[static_cast<std::size_t>(i)];
    auto const is_known = ranges::find(known_names, name) != known_names.end();
    if (!is_known && i != 0)
      throw std::runtime_error(fmt::format(
          "LISTEN_FDNAMES: '{}' will not do: expected http, https or admin for each socket but the first", name));
    add(first_descriptor + i, is_known ? name : "http");
  }
}

inherited_sockets::inherited_sockets(inherited_sockets&& other) noexcept
    : sockets_(std::exchange(other.sockets_, {})) {}

inherited_sockets::~inherited_sockets() {
  for (auto const& [name, number] : sockets_) ::close(number);
}

void inherited_sockets::add(int number, std::string const& name) {
  auto const complain = [&](std::string_view what) {
    throw std::runtime_error(fmt::format("the inherited descriptor {} ({}) will not do: {}", number, name, what));
  };
  auto const flags = ::fcntl(number, F_GETFL);
  if (flags == -1) complain(std::generic_category().message(errno));
  if (!has_option(number, SO_ACCEPTCONN, 1) || !has_option(number, SO_TYPE, SOCK_STREAM))
    complain("expected a stream socket that listens");
  if (!sockets_.emplace(name, number).second) complain("another one has that name");
  if (::fcntl(number, F_SETFL, flags | O_NONBLOCK) == -1 || ::fcntl(number, F_SETFD, FD_CLOEXEC) == -1)
    complain(std::generic_category().message(errno));
}

std::optional<int> inherited_sockets::take(std::string_view name) {
  auto const found = sockets_.find(name);
  if (found == sockets_.end()) return std::nullopt;
  auto const number = found->second;
  sockets_.erase(found);
  return number;
}

void inherited_sockets::expect_all_taken() const {
  if (!sockets_.empty())
    throw std::runtime_error(
        fmt::format("the inherited socket '{}' is for a listener that is not switched on", sockets_.begin()->first));
}

}  // namespace chorus
