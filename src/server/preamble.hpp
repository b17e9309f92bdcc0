#pragma once
// A connection before its first request, while something comes first.

#include "server/admission.hpp"

namespace chorus {

/// Whatever ends it, the deadline for one, closes its socket. The accepting shard's thread only.
class preamble : public peer {
 public:
  preamble(admission& to, tcp_socket& socket, clock::time_point deadline)
      : admission_(to), socket_(socket), deadline_(deadline) {
    to.waiting.push_back(*this);
  }

  void tick(clock::time_point now) override {
    if (now < deadline_) return;
    is_late_ = true;
    close_socket();
  }
  void close(farewell const&) override { close_socket(); }
  void abort(farewell const&) override { close_socket(); }
  void failed(std::exception_ptr why) noexcept override {
    admission_.at.report(why);
    close_socket();
  }

  /// That was the deadline.
  bool is_late() const { return is_late_; }

 protected:
  admission& admission_;
  tcp_socket& socket_;

 private:
  void close_socket() {
    error_code ignored;
    socket_.close(ignored);
  }

  clock::time_point deadline_;
  bool is_late_ = false;
};

}  // namespace chorus
