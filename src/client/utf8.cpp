#include "client/utf8.hpp"

#include <boost/regex/pending/unicode_iterator.hpp>
#include <stdexcept>

namespace chorus {

namespace {

std::size_t size_by_lead_byte(unsigned char lead) { return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

}  // namespace

character first_character(std::string_view text) {
  auto const one = text.substr(0, size_by_lead_byte(static_cast<unsigned char>(text.front())));
  try {
    return {one, static_cast<char32_t>(widen(one).front())};
  } catch (std::out_of_range const&) {
    return {text.substr(0, 1), std::nullopt};
  }
}

bool is_utf8(std::string_view text) {
  try {
    widen(text);
    return true;
  } catch (std::out_of_range const&) {
    return false;
  }
}

std::wstring widen(std::string_view text) {
  using iterator = boost::u8_to_u32_iterator<std::string_view::const_iterator, wchar_t>;
  return {iterator(text.begin(), text.begin(), text.end()), iterator(text.end(), text.begin(), text.end())};
}

std::string narrow(std::wstring_view text) {
  using iterator = boost::u32_to_u8_iterator<std::wstring_view::const_iterator, char>;
  return {iterator(text.begin()), iterator(text.end())};
}

}  // namespace chorus
