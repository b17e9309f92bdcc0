#pragma once
// Who has started the program, and wants to hear how it is: systemd, or what speaks its protocol.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cli/program.hpp"
#include "server/inherited_sockets.hpp"

namespace chorus {

/// Tells the service manager how the server is, in datagrams to `NOTIFY_SOCKET` (sd_notify(3)). Without one, all of it
/// does nothing. It never waits: what cannot be told at once is not told. One thread at a time.
class service_manager {
 public:
  /// Nobody.
  service_manager() = default;
  /// Reads `NOTIFY_SOCKET` (a path, or an abstract name after `@`), `WATCHDOG_USEC`, `WATCHDOG_PID` and what
  /// `inherited_sockets` reads. Throws `runtime_error` that names the variable that will not do.
  explicit service_manager(cli::environment const& variables);
  service_manager(service_manager&& other) noexcept;
  service_manager& operator=(service_manager&&) = delete;
  ~service_manager();

  inherited_sockets sockets;

  /// How often `alive` is to be called: twice within the watchdog's time, or now and then if there is no watchdog.
  /// Nothing if nobody listens.
  std::optional<std::chrono::microseconds> report_interval() const;

  /// It serves: for the first time, or again after `reloading`.
  void ready() const noexcept { tell("READY=1"); }
  void reloading() const noexcept;
  void stopping() const noexcept { tell("STOPPING=1"); }
  /// It works, and serves so many. Feeds the watchdog.
  void alive(std::ptrdiff_t sessions);

 private:
  void listen_to(std::string const& address);
  void tell(std::string_view state) const noexcept;

  int socket_ = -1;  ///< connected; -1: nobody listens
  std::chrono::microseconds watchdog_{0};
  std::ptrdiff_t told_sessions_ = -1;
};

}  // namespace chorus
