"""Holds what is documented against what the programs say themselves: every option stands in a table, with its default,
and every event of the log.

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


def events_in_source(text):
    """Event -> its level and fields, for every call of the logger in a C++ text."""
    call = r'(?:\blog_?|\bto)(?:\.|->)(debug|info|warn|error|critical)\(\s*"([a-z_]+)"(.*?)\);'
    found = {event: (level, tuple(re.findall(r'\{"([a-z_]+)",', rest)))
             for level, event, rest in re.findall(call, text, re.DOTALL)}
    # What the logger says of itself.
    write = r'spdlog::level::([a-z]+), "([a-z_]+)", (.*?)\);|make_line\(\w+, "([a-z_]+)", (.*?)\);'
    for level, event, rest, own_event, own_rest in re.findall(write, text, re.DOTALL):
        found[event or own_event] = (level or "warn", tuple(re.findall(r'\{"([a-z_]+)",', rest or own_rest)))
    return found


def events_in_table(text):
    """The same, as the table below "Log lines" says."""
    section = text.split("## Log lines\n")[1].split("\n## ")[0]
    rows = re.findall(r"(?m)^\| `([a-z_]+)` \| ([a-z]+) \| (.*?) ?\|", section)
    return {event: (level.replace("warning", "warn"), tuple(re.findall("`([a-z_]+)`", names)))
            for event, level, names in rows}


class Documentation(unittest.TestCase):
    source_dir = server = client = bench = None  # main sets them
    maxDiff = None

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

    def test_log(self):
        found = {}
        for path in sorted(pathlib.Path(self.source_dir, "src").rglob("*.?pp")):
            if path.parent.name == "server" or path.name == "main.cpp" and path.parent.name == "src":
                text = path.read_text(encoding="utf-8")
                found |= events_in_source(re.sub(r"(?m)^ *//.*$", "", text))
        self.assertGreater(len(found), 20)
        documented = events_in_table(pathlib.Path(self.source_dir, "docs/operations.md").read_text(encoding="utf-8"))
        self.assertEqual(found, documented)


class Checker(unittest.TestCase):
    def test_reads_help(self):
        text = ("Things:\n  --port N (=80)      listen\n  --header 'NAME: VALUE'  send\n  --loud   do\n"
                "  --a-name NAME\n                 say --so\n  --help   show this\n")
        self.assertEqual(options_of(text), {"--port": "80", "--header": None, "--loud": None, "--a-name": None})

    def test_reads_events(self):
        text = ('log.info("came", {{"name", name_},\n  {"at", f(x)}}); log_->error("broke", {{"why", e.what()}});'
                'shard_.log.debug("off"); catalog.info("no");')
        events = {"came": ("info", ("name", "at")), "broke": ("error", ("why",)), "off": ("debug", ())}
        self.assertEqual(events_in_source(text), events)
        table = ("## Log lines\n| event | level | fields | what |\n|---|---|---|---|\n"
                 "| `came` | info | `name`, `at` | `x` |\n"
                 "| `broke` | error | `why` | x |\n| `off` | debug | | x |\n## Other\n| `no` | info | | x |\n")
        self.assertEqual(events_in_table(table), events)

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
