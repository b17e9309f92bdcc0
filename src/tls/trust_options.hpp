#pragma once
// What the user of a client says about whom to trust.

#include <array>

#include "cli/option.hpp"
#include "tls/tls_context.hpp"

namespace chorus {

/// `--ca` and `--insecure`.
std::array<cli::option, 2> trust_options(tls_trust& to);

/// Throws `cli::usage_error` if they contradict each other, or have no use since the URL is not one of wss.
void check(tls_trust const& whom, bool secure);

}  // namespace chorus
