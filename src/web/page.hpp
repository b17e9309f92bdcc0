#pragma once
// The page that is compiled into the server: the files beside this one.

#include <string_view>

namespace chorus {

/// A file as it is sent. All of it lives as long as the program.
struct page_file {
  std::string_view path;  ///< of the request
  std::string_view type;  ///< for Content-Type
  std::string_view etag;  ///< of the plain content; without quotes, and none of `gzipped`
  std::string_view plain;
  std::string_view gzipped;
};

/// Null if there is no such file. `/` is the page itself.
page_file const* find_page_file(std::string_view path);

}  // namespace chorus
