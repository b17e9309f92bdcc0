"""Holds what is documented against what the programs say themselves: every option stands in a table, with its default.

Usage: python3 documentation_test.py SOURCE_DIR CHORUS_SERVER CHORUS_CLIENT CHORUS_BENCH
"""

import pathlib
import re
import subprocess
import sys
import unittest

SELF_EXPLANATORY = {"--config", "--help", "--version"}
COMMANDS = ("fanout", "connect", "idle", "stalled", "churn", "storm")


def options_of(help_text):
    """Option -> default, or None, as `--help` shows them."""
    line = r"(?m)^  (--[a-z-]+)(?: (?:'[^']*'|[A-Z]+))?(?: \(=([^)]*)\))?(?= |$)"
    return {name: default or None for name, default in re.findall(line, help_text) if name not in SELF_EXPLANATORY}


def options_in_table(text, heading):
    """Option -> the defaults in the table below a heading, whose rows have options in the first cell and their defaults,
    in that order, in the second; no default stands there without backticks."""
    section = re.split(r"(?m)^##+ ", text.split(f"## {heading}\n")[1])[0]
    found = {}
    for names, defaults in re.findall(r"(?m)^\| (`--.*?) \| (.*?) \|", section):
        names, defaults = (re.findall(r"`([^`]*)`", cell) for cell in (names, defaults))
        for i, name in enumerate(names):
            found[name] = (defaults if len(names) == 1 else defaults[i:i + 1]) or [None]
    return found


class Documentation(unittest.TestCase):
    source_dir = server = client = bench = None  # main sets them

    def check(self, document, heading, help_texts):
        shown = {}
        for text in help_texts:
            for name, default in options_of(text).items():
                shown.setdefault(name, set()).add(default)
        self.assertGreater(len(shown), 5)
        documented = options_in_table(pathlib.Path(self.source_dir, document).read_text(encoding="utf-8"), heading)
        self.assertEqual({name: defaults - {None} for name, defaults in shown.items()},
                         {name: set(defaults) - {None} for name, defaults in documented.items()})

    def help_of(self, *command):
        return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, timeout=10).stdout

    def test_server(self):
        self.check("README.md", "Options", [self.help_of(self.server)])

    def test_client(self):
        self.check("README.md", "The client, three ways", [self.help_of(self.client)])

    def test_bench(self):
        self.check("docs/performance.md", "The generator", [self.help_of(self.bench, c) for c in COMMANDS])


class Checker(unittest.TestCase):
    def test_reads_help(self):
        text = ("Things:\n  --port N (=80)      listen\n  --header 'NAME: VALUE'  send\n  --loud   do\n"
                "  --a-name NAME\n                 say --so\n  --help   show this\n")
        self.assertEqual(options_of(text), {"--port": "80", "--header": None, "--loud": None, "--a-name": None})

    def test_reads_tables(self):
        text = ("# One\n| `--x` | `1` | no |\n## Options\n\n| option | default |\n|---|---|\n| `--a`, `--b` | `1`, `2` | both `--c` |\n"
                "| `--d` | same host | x |\n| `--e` | `3`, for some `4` | x |\n## Other\n| `--y` | `1` | no |\n")
        self.assertEqual(options_in_table(text, "Options"),
                         {"--a": ["1"], "--b": ["2"], "--d": [None], "--e": ["3", "4"]})


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(f"Usage: {sys.argv[0]} SOURCE_DIR CHORUS_SERVER CHORUS_CLIENT CHORUS_BENCH [unittest options]")
    Documentation.source_dir, Documentation.server, Documentation.client, Documentation.bench = sys.argv[1:5]
    del sys.argv[1:5]
    unittest.main()
