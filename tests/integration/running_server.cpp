#include "running_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <pthread.h>
#include <spdlog/sinks/base_sink.h>
#include <stdexcept>
#include <utility>

#include "server/logging.hpp"

namespace chorus::test {

/// A log in memory that can be waited on.
struct running_server::log_capture final : spdlog::sinks::sink {
  std::mutex mutable mutex;
  std::condition_variable mutable grown;
  std::string text;
  std::string failing_words;

  void log(spdlog::details::log_msg const& line) override {
    std::lock_guard const lock(mutex);
    std::string_view const words(line.payload.data(), line.payload.size());
    text.append(words).push_back('\n');
    grown.notify_all();
    // spdlog keeps to itself what is a std::exception.
    struct broken_log {};
    if (!failing_words.empty() && words.find(failing_words) != std::string_view::npos) throw broken_log();
  }
  void flush() override {}
  void set_pattern(std::string const&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

settings test_settings() {
  settings options;
  options.address = net::ip::make_address("127.0.0.1");
  options.port = 0;
  options.admin.reset();
  auto const* const threads = std::getenv("TEST_THREADS");
  options.threads = threads == nullptr ? 1 : std::stoul(threads);
  options.rooms.large_room = 0;
  return options;
}

running_server::running_server(settings options)
    : captured_(std::make_shared<log_capture>()),
      io_(1),
      server_(io_.get_executor(), options,
              std::make_shared<logger>(captured_, log_format::text, spdlog::level::debug, 0)),
      port_(server_.local_endpoint().port()),
      end_(ended_.get_future()) {
  net::co_spawn(io_, server_.run(), [this](std::exception_ptr error) {
    if (error) {
      ended_.set_exception(error);
    } else {
      ended_.set_value();
    }
  });
  thread_ = std::thread([this] { io_.run(); });
}

running_server::~running_server() {
  abort();
  thread_.join();
}

void running_server::stop() {
  net::post(io_, [this] { server_.stop(); });
}

void running_server::abort() {
  net::post(io_, [this] { server_.abort(); });
}

bool running_server::ended_within(std::chrono::milliseconds time) {
  return end_.wait_for(time) == std::future_status::ready;
}

std::string running_server::failure() {
  if (!ended_within(patience)) throw std::runtime_error("the server does not end");
  return server_.failure() ? describe(server_.failure()) : std::string();
}

void running_server::fail_when_it_logs(std::string words) {
  std::lock_guard const lock(captured_->mutex);
  captured_->failing_words = std::move(words);
}

std::chrono::nanoseconds running_server::cpu_time() {
  clockid_t clock{};
  timespec time{};
  ::pthread_getcpuclockid(thread_.native_handle(), &clock);
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::string running_server::log() const {
  std::lock_guard const lock(captured_->mutex);
  return captured_->text;
}

bool running_server::logs(std::string_view words) const {
  std::unique_lock lock(captured_->mutex);
  return captured_->grown.wait_for(lock, patience, [&] { return captured_->text.find(words) != std::string::npos; });
}

std::ptrdiff_t open_descriptors() {
  std::filesystem::directory_iterator const all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

}  // namespace chorus::test
