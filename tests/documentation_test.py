"""Holds what is documented against what the programs say themselves: every option stands in a table, with its default,
and every event of the log. And the pages against the source: what they quote, name and link is there.

Usage: python3 documentation_test.py SOURCE_DIR CHORUS_SERVER CHORUS_CLIENT CHORUS_BENCH
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "docs"))
import quote

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


def prose(text):
    """A page without its blocks of code."""
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def anchors_of(text):
    """What can stand after `#` in a link to a page, as code hosts make it of headings."""
    found = set()
    for heading in re.findall(r"(?m)^#+ (.*)$", prose(text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (anchor := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(anchor)
    return found


def links_of(text):
    """Where a page leads within the repository: (file or "", anchor or "")."""
    targets = re.findall(r"\]\(([^)\s]+)\)|\b(?:src|srcset|href)=\"([^\"]+)\"", prose(text))
    targets = [a or b for a, b in targets]
    return [tuple(t.partition("#")[::2]) for t in targets if not re.match(r"[a-z]+:", t)]


def paths_of(text, root):
    """Files and folders that a page names between backticks, from the root or, as the source does, from src/."""
    tops = ["src", "docs", "tests", *(p.name for p in (root / "src").iterdir() if p.is_dir())]
    return re.findall(rf"(?<!`)`((?:{'|'.join(tops)})/[\w./*-]*)`", prose(text))


class Pages(unittest.TestCase):
    root = None  # main sets it

    def for_each(self, check):
        pages = quote.documents(self.root)
        self.assertGreater(len(pages), 5)
        for page in pages:
            with self.subTest(page=str(page.relative_to(self.root))):
                check(page, page.read_text(encoding="utf-8"))

    def test_quote_what_is_in_the_source(self):
        def check(_, text):
            self.assertEqual(text.splitlines(), quote.refreshed(text, self.root).splitlines(), "./dev quote mends it")

        self.for_each(check)

    def test_lead_to_what_is_there(self):
        def check(page, text):
            for file, anchor in links_of(text):
                target = (page.parent / file).resolve() if file else page
                self.assertTrue(target.exists(), f"there is no {file}")
                if anchor and target.suffix == ".md":
                    self.assertIn(anchor, anchors_of(target.read_text(encoding="utf-8")), f"in {target.name}")

        self.for_each(check)

    def test_name_what_is_there(self):
        def check(_, text):
            for path in paths_of(text, self.root):
                self.assertTrue([*self.root.glob(path), *(self.root / "src").glob(path)], f"there is no {path}")

        self.for_each(check)

    def test_layout_has_the_folders_and_files(self):
        layout = (self.root / "README.md").read_text(encoding="utf-8").split("## Layout\n")[1].split("```")[1]
        of_folders = dict(re.findall(r"(?m)^  (\w+)/ +(.*\n(?:    +.*\n)*)", layout))
        self.assertEqual(set(of_folders), {p.name for p in (self.root / "src").iterdir() if p.is_dir()})
        for folder, text in of_folders.items():
            there = {p.stem for p in (self.root / "src" / folder).iterdir()}
            self.assertLessEqual(set(re.findall(r"\b\w+_\w+\b", text)), there, folder)


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

    def test_reads_links(self):
        text = ("[a](one.md#two-words) [b](#here)\n<img src=\"c.png\"> [d](https://example.org/e.md)\n"
                "```\n[f](g.md)\n```\n")
        self.assertEqual(links_of(text), [("one.md", "two-words"), ("", "here"), ("c.png", "")])

    def test_reads_headings(self):
        text = "# One: `two` & [three](3.md)\n```sh\n# no\n```\n## Again\n## Again\n"
        self.assertEqual(anchors_of(text), {"one-two--three", "again", "again-1"})

    def test_reads_paths(self):
        text = "`src/a.cpp`, `chat/*.hpp` and `docs/`, not `http/1.1` nor `src/x y`\n```\n`docs/no`\n```\n"
        self.assertEqual(paths_of(text, Pages.root), ["src/a.cpp", "chat/*.hpp", "docs/"])

    def test_ends_a_quotation_where_its_brackets_close(self):
        source = ("// What it is\n// for.\n//\n// More.\n\nint f(int a,\n      int b) {\n  // a }\n\n"
                  "  if (a == '}')\n    g(\"(\");\n  return 1'000;\n}\nint g;\n/// About h.\nint h();\n")
        blocks = {"int f": source.splitlines()[5:13], "if (a": ["  if (a == '}')", '    g("(");'], "int g": ["int g;"],
                  "/// About": ["/// About h.", "int h();"], "// More": ["// More."]}
        for begin, lines in blocks.items():
            self.assertEqual(quote.excerpt(source, begin), lines)
        self.assertEqual(quote.purpose(source), "What it is for.")

    def test_quotes_only_what_is_there_once(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.cpp").write_text("// A.\nint a;\nint b;\nvoid c() {\n", encoding="utf-8")
            page = "One.\n\n<!-- quote a.cpp: int a -->\n{}\n<!-- quote a.cpp -->\n{}\nTwo.\n"
            code, note = "```cpp\n// a.cpp\nint a;\n```\n", "> `a.cpp`: A.\n"
            for before in (("", ""), (code, note), ("```cpp\nold\n\nold\n```\n", "> old\n> old\n")):
                self.assertEqual(quote.refreshed(page.format(*before), root), page.format(code, note))
            for wrong in ("a.cpp: int", "a.cpp: int x", "a.cpp: void c", "b.cpp"):
                with self.assertRaises(quote.Unquotable):
                    quote.refreshed(f"<!-- quote {wrong} -->\n", root)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(f"Usage: {sys.argv[0]} SOURCE_DIR CHORUS_SERVER CHORUS_CLIENT CHORUS_BENCH [unittest options]")
    Pages.root = pathlib.Path(sys.argv[1])
    Documentation.source_dir, Documentation.server, Documentation.client, Documentation.bench = sys.argv[1:5]
    del sys.argv[1:5]
    unittest.main()
