"""Holds the layers of the source tree: includes point down only.

Usage: python3 layers_test.py SRC_DIR
"""

import collections
import pathlib
import re
import sys
import tempfile
import unittest

TOP = "the top level"  # the server's main

# Which layers the files of a layer may include.
MAY_USE = {
    "cli": {"cli"},
    "support": {"support"},
    "protocol": {"support", "protocol"},
    "chat": {"support", "protocol", "chat"},
    "web": {"web"},
    "tls": {"cli", "support", "tls"},
    "server": {"cli", "support", "tls", "protocol", "chat", "web", "server"},
    TOP: {"cli", "support", "tls", "protocol", "chat", "server", TOP},
    "client": {"cli", "support", "tls", "protocol", "client"},
    "bench": {"cli", "support", "tls", "protocol", "bench"},
}

BEAST, ASIO = "boost/beast", "boost/asio"
MAY_USE_BEAST = {"server", "client", "bench"}

# What the lowest layers are made of, besides the standard library, whose headers have neither folder nor suffix.
PACKAGES = {
    "web": (),
    "cli": ("boost/program_options", "fmt", "range/v3", "unistd.h"),
    "support": (ASIO, "boost/container", "boost/intrusive", "boost/system", "range/v3", "unistd.h"),
    "tls": (ASIO, "boost/system", "fmt", "openssl", "sys/socket.h"),
}

HEADERS = {".hpp", ".h", ".ipp"}
SOURCES = {".cpp", ".cc", ".cxx"}

Include = collections.namedtuple("Include", "line quoted path")


def layer_of(path):
    """The layer of a file, by its path from the root of the sources."""
    return path.split("/")[0] if "/" in path else TOP


def is_of(header, package):
    """True if `header` is `package` or `package.hpp`, or lies in the folder `package`."""
    return header in (package, package + ".hpp") or header.startswith(package + "/")


def read_tree(root):
    """All C++ files under `root`: path from there -> content."""
    root = pathlib.Path(root)
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8")
            for path in sorted(root.rglob("*")) if path.suffix in HEADERS | SOURCES}


def includes_of(content):
    """The include directives of a file."""
    found = []
    for number, line in enumerate(content.splitlines(), 1):
        directive = re.match(r'\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>)', line)
        if directive:
            quoted = directive.group(1) is not None
            found.append(Include(number, quoted, directive.group(1) if quoted else directive.group(2)))
    return found


def violations(files):
    """Every breach of the rules in a tree (path -> content), as `file:line: what is wrong`."""
    includes = {path: includes_of(content) for path, content in files.items()}
    found = []
    for path in sorted(files):
        found += [f"{path}:{line}: {what}" for line, what in file_violations(path, files, includes)]
    return found


def file_violations(path, files, includes):
    """The breaches in one file, as (line, what is wrong)."""
    layer = layer_of(path)
    if layer not in MAY_USE:
        yield 1, f"'{layer}' is no layer that this test knows"
        return
    suffix = pathlib.PurePosixPath(path).suffix
    if suffix in HEADERS and "#pragma once" not in files[path].splitlines():
        yield 1, "a header needs #pragma once"
    own = str(pathlib.PurePosixPath(path).with_suffix(".hpp"))
    if suffix in SOURCES and own in files and [i.path for i in includes[path][:1]] != [own]:
        yield includes[path][0].line if includes[path] else 1, f'"{own}" must be included first'
    for include in includes[path]:
        if include.path in files:
            if not include.quoted:
                yield include.line, f"<{include.path}> is ours: write it in quotes"
            yield from ((include.line, what) for what in layer_violations(layer, include.path, includes))
        elif include.quoted:
            yield include.line, f'"{include.path}" is no path of a file from the root of the sources'
        else:
            yield from ((include.line, what) for what in package_violations(layer, include.path))


def layer_violations(layer, included, includes):
    """What is wrong if a file of `layer` includes our file `included`."""
    target = layer_of(included)
    if target not in MAY_USE[layer]:
        yield f"{layer} may not use {target}"
    elif (layer, target) == ("protocol", "support") and reaches_asio(included, includes):
        yield f'protocol may not use Asio, and "{included}" includes it'


def package_violations(layer, header):
    """What is wrong if a file of `layer` includes `header`, which is not ours."""
    if is_of(header, BEAST) and layer not in MAY_USE_BEAST:
        yield f"{layer} may not use Beast"
    elif is_of(header, ASIO) and layer == "protocol":
        yield "protocol may not use Asio"
    elif layer in PACKAGES and not is_standard(header) and not any(is_of(header, p) for p in PACKAGES[layer]):
        yield f"{layer} may not use <{header}>"


def is_standard(header):
    return re.fullmatch(r"[a-z_0-9]+", header) is not None


def reaches_asio(start, includes):
    """True if a file of ours includes Asio, directly or not."""
    seen, waiting = {start}, [start]
    while waiting:
        new = {include.path for include in includes.get(waiting.pop(), [])} - seen
        seen |= new
        waiting += new
    return any(is_of(header, ASIO) for header in seen)


class Layers(unittest.TestCase):
    source_dir = None  # main sets it

    def test_source_tree(self):
        files = read_tree(self.source_dir)
        self.assertTrue(files, f"there are no C++ files in {self.source_dir}")
        found = violations(files)
        self.assertFalse(found, "\n" + "\n".join(f"{self.source_dir}/{what}" for what in found))


class Checker(unittest.TestCase):
    """The checker finds what it is there to find, and nothing else."""

    def check(self, files, *expected):
        """`files`: path -> lines; `#pragma once` is added to headers. Each violation must match its pattern."""
        tree = {path: "\n".join([*lines, "#pragma once"] if path.endswith(".hpp") else lines)
                for path, lines in files.items()}
        found = violations(tree)
        self.assertEqual(len(found), len(expected), found)
        for what, pattern in zip(found, expected):
            self.assertRegex(what, pattern)

    def test_good_tree(self):
        self.check({
            "support/a.hpp": ["#include <vector>", "#include <boost/asio.hpp>", "#include <boost/asio/post.hpp>",
                              "#include <boost/container/deque.hpp>"],
            "protocol/b.hpp": ["#include <string>", "#include <boost/json/object.hpp>", '#include "support/plain.hpp"'],
            "support/plain.hpp": ["#include <memory>"],
            "chat/c.hpp": ['#include "protocol/b.hpp"', '#include "support/a.hpp"', "#include <boost/asio/post.hpp>"],
            "chat/c.cpp": ["// its own header first", '#include "chat/c.hpp"', "#include <range/v3/all.hpp>"],
            "server/d.hpp": ['#include "chat/c.hpp"', "#include <boost/beast/http/read.hpp>"],
            "server/no_header.cpp": ["#include <string>", '#include "server/d.hpp"'],
            "cli/o.hpp": ["#include <map>", "#include <fmt/format.h>", "#include <unistd.h>"],
            "server/options.hpp": ['#include "cli/o.hpp"', '#include "server/d.hpp"'],
            "main.cpp": ["#include <string>", '#include "server/options.hpp"', '#include "server/d.hpp"'],
            "client/main.cpp": ["#include <boost/beast/websocket.hpp>", '#include "cli/o.hpp"'],
            "bench/main.cpp": ["#include <boost/beast/websocket.hpp>", '#include "protocol/b.hpp"'],
        })

    def test_includes_that_point_up(self):
        tree = {"cli/o.hpp": [], "support/s.hpp": [], "protocol/p.hpp": [], "chat/c.hpp": [], "server/d.hpp": [],
                "top.hpp": []}
        upward = {"cli": ["support/s.hpp", "protocol/p.hpp", "chat/c.hpp", "server/d.hpp", "top.hpp"],
                  "support": ["cli/o.hpp", "protocol/p.hpp", "chat/c.hpp", "server/d.hpp", "top.hpp"],
                  "protocol": ["cli/o.hpp", "chat/c.hpp", "server/d.hpp", "top.hpp"],
                  "chat": ["cli/o.hpp", "server/d.hpp", "top.hpp"],
                  "server": ["top.hpp"], "client": ["chat/c.hpp", "server/d.hpp", "top.hpp"],
                  "bench": ["chat/c.hpp", "server/d.hpp", "top.hpp"]}
        for layer, headers in upward.items():
            for header in headers:
                self.check(tree | {f"{layer}/bad.cpp": ["", f'#include "{header}"']},
                           rf"^{layer}/bad\.cpp:2: {layer} may not use {layer_of(header)}$")

    def test_beast_outside_the_server(self):
        for header in ("boost/beast.hpp", "boost/beast/core/flat_buffer.hpp"):
            for path in ("support/x.cpp", "protocol/x.cpp", "chat/x.cpp", "main.cpp"):
                self.check({path: [f"  #  include <{header}>"]}, rf"^{path}:1: .* may not use Beast$")

    def test_asio_in_protocol(self):
        self.check({"protocol/x.cpp": ["#include <boost/asio/post.hpp>"]}, r"^protocol/x\.cpp:1: .* may not use Asio$")
        self.check({"protocol/x.cpp": ["#include <boost/asio.hpp>"]}, r"^protocol/x\.cpp:1: .* may not use Asio$")

    def test_asio_in_protocol_through_another_header(self):
        self.check({"support/asio.hpp": ["#include <boost/asio/post.hpp>"],
                    "support/b.hpp": ['#include "support/asio.hpp"'],
                    "protocol/x.hpp": ['#include "support/b.hpp"'], "protocol/x.cpp": ['#include "protocol/x.hpp"']},
                   r'^protocol/x\.hpp:1: protocol may not use Asio, and "support/b\.hpp" includes it$')

    def test_packages_in_the_lowest_layers(self):
        for layer, headers in (("support", ("spdlog/logger.h", "boost/json/object.hpp", "sys/socket.h")),
                               ("cli", ("spdlog/logger.h", "boost/asio/post.hpp")),
                               ("tls", ("spdlog/logger.h", "unistd.h"))):
            for header in headers:
                self.check({f"{layer}/x.cpp": [f"#include <{header}>"]},
                           rf"^{layer}/x\.cpp:1: {layer} may not use <{header}>$")

    def test_include_that_does_not_resolve(self):
        header = {"protocol/frame.hpp": []}
        for path in ("frame.hpp", "../protocol/frame.hpp", "protocol/fram.hpp", "vector"):
            self.check(header | {"protocol/x.cpp": [f'#include "{path}"']}, rf'^protocol/x\.cpp:1: "{path}" is no path')

    def test_own_header_in_angle_brackets(self):
        self.check({"chat/c.hpp": [], "support/x.cpp": ["#include <chat/c.hpp>"]},
                   r"^support/x\.cpp:1: .* in quotes$", r"^support/x\.cpp:1: support may not use chat$")

    def test_header_without_pragma_once(self):
        self.assertEqual(violations({"chat/c.hpp": "// #pragma once\n"}), ["chat/c.hpp:1: a header needs #pragma once"])

    def test_own_header_not_first(self):
        header = {"chat/c.hpp": []}
        first = r'"chat/c\.hpp" must be included first$'
        self.check(header | {"chat/c.cpp": ["", "#include <string>", '#include "chat/c.hpp"']},
                   r"^chat/c\.cpp:2: " + first)
        self.check(header | {"chat/c.cpp": []}, r"^chat/c\.cpp:1: " + first)

    def test_unknown_folder(self):
        self.check({"misc/x.cpp": []}, r"^misc/x\.cpp:1: 'misc' is no layer")

    def test_commented_include_is_none(self):
        self.check({"chat/x.cpp": ["// #include <boost/beast.hpp>"]})

    def test_tree_on_disk(self):
        with tempfile.TemporaryDirectory() as root:
            file = pathlib.Path(root, "chat", "deep", "x.cpp")
            file.parent.mkdir(parents=True)
            file.write_text("#include <boost/beast.hpp>\n", encoding="utf-8")
            pathlib.Path(root, "meson.build").write_text("", encoding="utf-8")
            self.assertEqual(violations(read_tree(root)), ["chat/deep/x.cpp:1: chat may not use Beast"])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not pathlib.Path(sys.argv[1]).is_dir():
        sys.exit(f"Usage: {sys.argv[0]} SRC_DIR [unittest options]")
    Layers.source_dir = sys.argv.pop(1)
    unittest.main()
