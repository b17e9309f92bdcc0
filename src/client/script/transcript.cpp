#include "client/script/transcript.hpp"

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace chorus::script {

struct transcript::entry {
  std::string_view user;
  std::string_view event;
  std::optional<unsigned> code = {};
  std::optional<message> data = {};
};

transcript::transcript(std::string const& file) : start_(std::chrono::steady_clock::now()) {
  if (file.empty()) return;
  out_.open(file, std::ios::binary | std::ios::trunc);
  if (!out_) throw std::runtime_error(file + " cannot be written: " + std::generic_category().message(errno));
}

void transcript::add(std::string_view user, std::string_view what) { write({user, what}); }

void transcript::add(std::string_view user, std::string_view what, std::string_view text) {
  write({user, what, {}, message{false, std::string(text)}});
}

void transcript::add(std::string_view user, std::string_view what, message const& data) {
  write({user, what, {}, data});
}

void transcript::add(std::string_view user, std::string_view what, unsigned code, std::string_view text) {
  write({user, what, code, message{false, std::string(text)}});
}

void transcript::write(entry const& one) {
  if (!out_.is_open()) return;
  std::chrono::duration<double> const at = std::chrono::steady_clock::now() - start_;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.6f", at.count());
  out_ << "{\"at\":" << seconds;
  auto const member = [this](std::string_view key, boost::json::value const& value) {
    out_ << ",\"" << key << "\":" << boost::json::serialize(value);
  };
  if (!one.user.empty()) member("user", boost::json::string(one.user));
  member("event", boost::json::string(one.event));
  if (one.code) member("code", *one.code);
  if (one.data) {
    auto const as_text = !one.data->binary && is_utf8(one.data->data);
    auto const shown = as_text ? one.data->data : to_hex(one.data->data);
    member(as_text ? "text" : "hex", boost::json::string(shown));
  }
  // A line that is written is there even if the program is killed.
  out_ << "}" << std::endl;
}

}  // namespace chorus::script
