"""The ladder of docs/ladder, as a table: what each of its programs costs, and what one that never reads does to it."""

import pathlib

from report import markdown_row
from workloads import WORKLOADS

SOURCE = pathlib.Path(__file__).resolve().parents[2]

SERVERS = ["2_in_turn", "3_queue_each", "4_batches", "chorus"]  # of all that compare knows
KEYS = ["w1", "w32", "unread"]  # of the workloads
NOWHERE_ELSE = {"2_in_turn", "4_batches", "unread"}  # what is measured only if it is asked for
HEAD = ["", "lines", "W=1", "W=32", "the others wait", "memory"]  # docs/ladder/README.md says what of


def lines_of_code(paths):
    """In all of these C++ files; comments and empty lines do not count."""
    lines = (line.strip() for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    return sum(bool(line) and not line.startswith("//") for line in lines)


def lines_in_words(paths):
    """Exactly for a program of one file; many files change all the time."""
    lines = lines_of_code(paths)
    return str(lines) if len(paths) == 1 else f"{round(lines, -2):,}"


def programs():
    """Name, key as a server and sources of each, from the first rung to Chorus."""
    for path in sorted((SOURCE / "docs/ladder").glob("*.cpp")):
        yield path.stem, path.stem, [path]
    server = [path for path in (SOURCE / "src").rglob("*.[ch]pp")
              if path.relative_to(SOURCE / "src").parts[0] not in ("client", "bench")]
    yield "Chorus", "chorus", server


def table(results):
    """Markdown; a dash where nothing was measured, and a word where a program could not do it."""
    workloads = [workload for workload in WORKLOADS if workload.key in KEYS]

    def cells(server):
        found = [results.cell(workload, figure, server) for workload in workloads for figure in workload.figures]
        # What does not come within a minute does not come at all; what that costs was not measured.
        return [*found[:-2], "for ever", "-"] if found[-2] == "too slow" else found

    rows = [[name, lines_in_words(sources), *cells({"key": key})] for name, key, sources in programs()]
    return [markdown_row(HEAD), markdown_row(["---", *["---:"] * (len(HEAD) - 1)]), *map(markdown_row, rows)]
