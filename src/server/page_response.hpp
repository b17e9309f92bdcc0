#pragma once
// How the files of the page are served.

#include "server/routes.hpp"
#include "web/page.hpp"

namespace chorus {

/// The answer to GET and HEAD: gzipped where that is accepted, 304 where the client has it (RFC 9110 section 13), and
/// with headers that keep the page from doing, or being used for, anything but what it is there for. Range is ignored,
/// as one may (RFC 9110 section 14.2).
response page_response(page_file const& file, request const& asked);

}  // namespace chorus
