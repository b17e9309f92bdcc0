// floor: the least that a chat server can do, and so the limit that Chorus is compared with.
//
// One thread, raw epoll, no library but libc. In every round of epoll all readable sockets are read, once each, until a
// round finds nothing more to read. All messages up to then become one contiguous string of frames for each room, which
// is a path, and every peer there gets that with one send. What remains is what the kernel takes for moving the bytes.
//
// It speaks as much WebSocket as it takes to be measured: text messages of one frame, ping and close. Who sends
// anything else is cut off, and so is who lets more than a mebibyte wait.
//
// Usage: floor PORT

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "floor_wire.hpp"

namespace {

constexpr std::size_t max_backlog = 1 << 20;
constexpr std::size_t max_batch = 1 << 18;  // who talks without a pause must not silence the others
constexpr std::size_t max_input = 1 << 20;  // the largest request or frame that is understood

[[noreturn]] void die(char const* what) {
  std::perror(what);
  std::exit(1);
}

struct peer;

struct room {
  std::vector<peer*> members;
  std::size_t ever_joined = 0;
  std::string batch;  // the messages that wait for the next fan-out, as frames
};

struct peer {
  explicit peer(int socket) : fd(socket) {}
  peer(peer const&) = delete;
  peer& operator=(peer const&) = delete;
  ~peer() { ::close(fd); }

  int fd;
  room* in = nullptr;    // none before the handshake is done
  bool closing = false;  // it said goodbye, and is to hear the same
  bool gone = false;
  std::string label;    // "[user7]: "
  std::string unread;   // the beginning of a request or frame
  std::string backlog;  // what the socket did not take
};

class chat {
 public:
  explicit chat(std::uint16_t port) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    int const on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
    if (::listen(listener_, SOMAXCONN) != 0) die("listen");
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 2048> events;
    while (true) {
      int const patience = talking_.empty() ? -1 : 0;
      auto const ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience);
      for (int i = 0; i < ready; ++i) {
        auto const& event = events[static_cast<std::size_t>(i)];
        auto* const who = static_cast<peer*>(event.data.ptr);
        if (who == nullptr) {
          accept_all();
          continue;
        }
        if ((event.events & EPOLLOUT) != 0) flush(*who);
        if ((event.events & ~EPOLLOUT) != 0 && !who->gone) read(*who);
      }
      if (ready == 0 || some_leave_ || batched_ > max_batch) fan_out();
      if (some_leave_) let_leave();
    }
  }

 private:
  void watch(int operation, int fd, std::uint32_t what, peer* whose) const {
    epoll_event event{};
    event.events = what;
    event.data.ptr = whose;
    if (::epoll_ctl(epoll_, operation, fd, &event) != 0) die("epoll_ctl");
  }

  void accept_all() {
    while (true) {
      int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0 && errno == EAGAIN) return;
      if (fd < 0 && errno == ECONNABORTED) continue;
      if (fd < 0) die("accept");
      int const on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(EPOLL_CTL_ADD, fd, EPOLLIN, peers_.emplace_back(std::make_unique<peer>(fd)).get());
    }
  }

  void drop(peer& who) { who.gone = some_leave_ = true; }

  /// One recv: if there is more, the next round brings it.
  void read(peer& who) {
    auto const kept = who.unread.size();
    if (kept == input_.size()) return drop(who);
    std::memcpy(input_.data(), who.unread.data(), kept);
    auto const received = ::recv(who.fd, input_.data() + kept, input_.size() - kept, 0);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) return drop(who);
    auto const size = kept + static_cast<std::size_t>(received);
    auto used = who.in != nullptr ? 0 : join(who, {input_.data(), size});
    while (who.in != nullptr && !who.gone && !who.closing) {
      auto const next = wire::parse_frame(input_.data() + used, size - used, max_input);
      if (!next.valid) return drop(who);
      if (next.size == 0) break;
      receive(who, next);
      used += next.size;
    }
    who.unread.assign(input_.data() + used, size - used);
  }

  /// Answers the upgrade request and greets. Returns the size of the request; 0 while it is not complete.
  std::size_t join(peer& who, std::string_view input) {
    auto const end = input.find("\r\n\r\n");
    if (end == input.npos) return 0;
    auto answer = wire::accept_upgrade(std::string(input.substr(0, end)));
    if (answer.empty()) {
      drop(who);
      return 0;
    }
    who.in = &rooms_[wire::path_of(input.substr(0, end))];
    who.in->members.push_back(&who);
    who.label = "[user" + std::to_string(who.in->ever_joined++) + "]: ";
    auto const users = std::to_string(who.in->members.size());
    wire::append_frame(answer, wire::text, "You are connected! There are " + users + " users here.");
    write(who, answer);
    return end + 4;
  }

  void receive(peer& from, wire::frame const& what) {
    if (what.first_byte == wire::text) {
      auto& batch = from.in->batch;
      if (batch.empty()) talking_.push_back(from.in);
      wire::append_frame(batch, wire::text, from.label, what.payload);
      batched_ += what.size;
    } else if (what.first_byte == wire::ping) {
      std::string answer;
      wire::append_frame(answer, wire::pong, what.payload);
      write(from, answer);
    } else if (what.first_byte == wire::close) {
      from.closing = some_leave_ = true;
    } else if (what.first_byte != wire::pong) {
      drop(from);
    }
  }

  void fan_out() {
    for (auto* const talking : talking_) {
      for (auto* const to : talking->members)
        if (!to->gone) write(*to, talking->batch);
      talking->batch.clear();
    }
    talking_.clear();
    batched_ = 0;
  }

  void write(peer& to, std::string_view bytes) {
    if (to.backlog.empty()) {
      bytes.remove_prefix(send(to, bytes));
      if (bytes.empty() || to.gone) return;
      watch(EPOLL_CTL_MOD, to.fd, EPOLLIN | EPOLLOUT, &to);
    }
    to.backlog += bytes;
    if (to.backlog.size() > max_backlog) drop(to);
  }

  void flush(peer& to) {
    to.backlog.erase(0, send(to, to.backlog));
    if (to.backlog.empty()) watch(EPOLL_CTL_MOD, to.fd, EPOLLIN, &to);
  }

  /// Returns how much of it the socket took.
  std::size_t send(peer& to, std::string_view bytes) {
    auto const sent = ::send(to.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno != EAGAIN) drop(to);
    return 0;
  }

  /// After a round, whose events may refer to them, and after the fan-out: a goodbye follows what was said before it.
  void let_leave() {
    for (auto& who : peers_) {
      if (!who->closing && !who->gone) continue;
      if (who->closing && who->backlog.empty()) send(*who, wire::normal_closure);
      if (who->in != nullptr) std::erase(who->in->members, who.get());
    }
    std::erase_if(peers_, [](auto const& who) { return who->closing || who->gone; });
    some_leave_ = false;
  }

  int const epoll_ = ::epoll_create1(0);
  int const listener_;
  std::vector<std::unique_ptr<peer>> peers_;
  std::unordered_map<std::string, room> rooms_;  // by path
  std::vector<room*> talking_;                   // those with a batch
  std::size_t batched_ = 0;                      // bytes in all batches
  std::vector<char> input_ = std::vector<char>(max_input);
  bool some_leave_ = false;
};

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 2) {
    std::fputs("Usage: floor PORT\n", stderr);
    return 2;
  }
  auto const port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  chat lobby(port);
  std::printf("listening on port %d\n", port);
  std::fflush(stdout);
  lobby.run();
}
