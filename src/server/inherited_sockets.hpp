#pragma once
// Sockets that listened before the program began: socket activation.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/program.hpp"

namespace chorus {

/// The address family of a socket, as AF_INET; AF_UNSPEC if it is none.
int family_of(int socket);

/// What a service manager hands over, as systemd does (sd_listen_fds(3)): descriptors from 3 on, `LISTEN_FDS` of them,
/// if `LISTEN_PID` is this process, with their names in `LISTEN_FDNAMES`. Names are `http`, `https` and `admin`; the
/// first socket is `http` if it has none of these. Owns those that are not taken.
class inherited_sockets {
 public:
  inherited_sockets() = default;
  /// At most once in a process. Each socket is made non-blocking and close-on-exec. Throws `runtime_error` that says
  /// which one will not do: it must listen, be a stream socket, and be the only one of its name.
  explicit inherited_sockets(cli::environment const& variables);
  inherited_sockets(inherited_sockets&& other) noexcept;
  inherited_sockets& operator=(inherited_sockets&&) = delete;
  ~inherited_sockets();

  /// The descriptor with that name, which from now on is the caller's; nothing if there is none.
  std::optional<int> take(std::string_view name);

  /// Throws `runtime_error` if there is one that nobody has taken: who connects there would wait for ever.
  void expect_all_taken() const;

 private:
  void add(int number, std::string const& name);

  std::map<std::string, int, std::less<>> sockets_;
};

}  // namespace chorus
