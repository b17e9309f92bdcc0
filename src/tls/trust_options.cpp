#include "tls/trust_options.hpp"

#include "cli/exit_code.hpp"
#include "cli/values.hpp"

namespace chorus {

std::array<cli::option, 2> trust_options(tls_trust& to) {
  auto const trust_anyone = [](std::string const& text) { return !cli::parse_flag(text); };
  return {{{"ca", "FILE", "", "over wss, trust the authorities in this file (PEM) instead of the system's",
            cli::into(to.authorities)},
           {"insecure", "", "", "over wss, take any certificate: whoever is in between can read and change everything",
            cli::into(to.verify, trust_anyone)}}};
}

void check(tls_trust const& whom, bool secure) {
  if (!secure && whom != tls_trust{}) throw cli::usage_error("--ca and --insecure go with a URL of wss://");
  if (!whom.verify && !whom.authorities.empty())
    throw cli::usage_error("--ca says whom to trust, --insecure not to ask: choose one");
}

}  // namespace chorus
