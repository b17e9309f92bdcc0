#include "client/script/transcript.hpp"

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "client/utf8.hpp"

namespace chorus::script {

transcript::transcript(std::string const& file) : start_(std::chrono::steady_clock::now()) {
  if (file.empty()) return;
  out_.open(file, std::ios::binary | std::ios::trunc);
  if (!out_) throw std::runtime_error(file + " cannot be written: " + std::generic_category().message(errno));
}

void transcript::add(std::string_view user, std::string_view event, std::optional<unsigned> code,
                     std::optional<message> data) {
  if (!out_.is_open()) return;
  std::chrono::duration<double> const at = std::chrono::steady_clock::now() - start_;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.6f", at.count());
  out_ << "{\"at\":" << seconds;
  auto const member = [this](std::string_view key, boost::json::value const& value) {
    out_ << ",\"" << key << "\":" << boost::json::serialize(value);
  };
  if (!user.empty()) member("user", boost::json::string(user));
  member("event", boost::json::string(event));
  if (code) member("code", *code);
  if (data) {
    auto const as_text = !data->binary && is_utf8(data->data);
    auto const shown = as_text ? data->data : to_hex(data->data);
    member(as_text ? "text" : "hex", boost::json::string(shown));
  }
  // A line that is written is there even if the program is killed.
  out_ << "}" << std::endl;
}

}  // namespace chorus::script
