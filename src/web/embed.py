"""Makes a C++ source of the files of the page.

Usage: python3 embed.py OUTPUT FILE...
"""

import gzip
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
INDEX = "index.html"  # is the page itself

TEMPLATE = """#include "web/page.hpp"

#include <algorithm>
#include <array>

namespace chorus {{

namespace {{

{constants}

const std::array files{{
{rows}
}};

}}  // namespace

page_file const* find_page_file(std::string_view path) {{
  auto const found = std::find_if(files.begin(), files.end(), [=](page_file const& file) {{ return file.path == path; }});
  return found == files.end() ? nullptr : &*found;
}}

}}  // namespace chorus
"""


def constant(name, content):
    """Bytes as a constant. An array, since compilers need not take string literals of more than 64 KiB."""
    numbers = ",".join(str(byte) for byte in content)
    return f"const unsigned char {name}[] = {{{numbers}}};"


def view(name, content):
    return f"{{reinterpret_cast<char const*>({name}), {len(content)}}}"


def main():
    output, *paths = map(pathlib.Path, sys.argv[1:])
    constants, rows = [], []
    for number, path in enumerate(paths):
        plain = path.read_bytes()
        # The same source makes the same program: no time in it.
        gzipped = gzip.compress(plain, mtime=0)
        etag = hashlib.sha256(plain).hexdigest()[:20]
        constants += [constant(f"plain{number}", plain), constant(f"gzipped{number}", gzipped)]
        url = "/" if path.name == INDEX else f"/{path.name}"
        rows.append(f'  page_file{{"{url}", "{TYPES[path.suffix]}", "{etag}",\n'
                    f"            {view(f'plain{number}', plain)}, {view(f'gzipped{number}', gzipped)}}},")
    output.write_text(TEMPLATE.format(constants="\n".join(constants), rows="\n".join(rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
