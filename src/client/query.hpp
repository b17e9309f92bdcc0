#pragma once
// Parameters in the query of a URL.

#include <string>
#include <string_view>

namespace chorus {

/// The path, which may have a query, with this parameter in place of any of the same name. `value` is percent-encoded
/// (RFC 3986), `key` is as it is to be.
std::string with_parameter(std::string_view path, std::string_view key, std::string_view value);

}  // namespace chorus
