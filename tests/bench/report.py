"""What the measurements say: medians, ratios within rounds, and the tables of them.

`results` is the content of results.json:
  facts    label -> text: what ran where
  servers  those measured, in the order of the columns: {key, title}
  skipped  those that could not be had: {title, why}
  runs     {round, workload, server, result}; `result` is the report of chorus-bench
"""

import collections
import re
import statistics

from workloads import WORKLOADS

# What a failed check means in a word. The first pattern that chorus-bench's error contains, counts.
FAILURES = (
    (r"messages are missing", "lost messages"),
    (r"out of order|comes first|for a second time", "wrong order"),
    (r"not everything came in time|not everyone hears|timed out", "too slow"),
    (r"closed the connection|hung up", "cut off a reader"),
    (r"subprotocol", "no JSON dialect"),
    (r"open files", "too few descriptors"),
    (r"no server process|cannot connect|does not listen", "was gone"),
)

CELL_WIDTH = 32  # characters; of a cell that says what went wrong

TERMS = ("Every sender has W messages in flight, one if nothing else is said, of 64 bytes; and N peers get each. "
         "A delivery is one message to one peer.")


def short_error(error):
    """An error in a word or a few, for the cell of a table."""
    for pattern, word in FAILURES:
        if re.search(pattern, error):
            return word
    clause = re.split(r"[;:,(\n]", error.strip())[0].strip() or "failed"
    return clause if len(clause) <= CELL_WIDTH else clause[:CELL_WIDTH - 3] + "..."


def value_at(result, path):
    """The number at `path` in a report of chorus-bench; None if the run failed or had no such figure."""
    if not result.get("ok"):
        return None
    found = result
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return float(found)


def number(value):
    """With about three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def median_ratio(ours, theirs):
    """The median of the ratios within each round; None if there is no round that has both."""
    ratios = [ours[number] / theirs[number] for number in ours if theirs.get(number)]
    return statistics.median(ratios) if ratios else None


class Results:
    """Questions to `results`."""

    def __init__(self, results):
        self.facts = results["facts"]
        self.servers = results["servers"]
        self.skipped = results["skipped"]
        self._runs = results["runs"]
        self.rounds = max((run["round"] for run in self._runs), default=0)
        measured = {run["workload"] for run in self._runs}
        self.workloads = [workload for workload in WORKLOADS if workload.key in measured]

    def _of(self, workload, server):
        return [run for run in self._runs if (run["workload"], run["server"]) == (workload.key, server["key"])]

    def values(self, workload, figure, server):
        """Round -> figure, in the unit that is shown."""
        found = {run["round"]: value_at(run["result"], figure.path) for run in self._of(workload, server)}
        return {number: value / figure.scale for number, value in found.items() if value is not None}

    def median(self, workload, figure, server):
        """None if there is no value."""
        values = self.values(workload, figure, server)
        return statistics.median(values.values()) if values else None

    def ratio(self, workload, figure, server, other):
        """`server` relative to `other`: the median of the ratios within each round. None if they never both ran.

        Within a round they run shortly after each other, so that a machine that gets slower or faster cancels out.
        """
        return median_ratio(self.values(workload, figure, server), self.values(workload, figure, other))

    def ratio_to_other_workload(self, workload, server):
        """What a server takes for `workload` relative to what it takes for that which stands beside it, likewise."""
        other = next((each for each in self.workloads if each.key == workload.beside), None)
        if other is None:
            return None
        return median_ratio(self.values(workload, workload.figures[0], server),
                            self.values(other, other.figures[0], server))

    def failures(self, workload, server):
        """What went wrong in its runs, in a word each, the most frequent first."""
        errors = [short_error(run["result"].get("error", "")) for run in self._of(workload, server)
                  if not run["result"].get("ok")]
        return [(word, count) for word, count in collections.Counter(errors).most_common()]

    def cell(self, workload, figure, server):
        """The median, or what went wrong."""
        median = self.median(workload, figure, server)
        failed = self.failures(workload, server)
        if median is None:
            return failed[0][0] if failed else "-"
        return number(median) + (f" ({failed[0][1]}x {failed[0][0]})" if failed else "")

    def spread(self, workload, figure, server):
        """Least and greatest value."""
        values = self.values(workload, figure, server).values()
        return f"{number(min(values))}..{number(max(values))}" if values else "-"


def markdown_row(cells):
    return "| " + " | ".join(cells) + " |"


def markdown_table(results, servers, cell):
    """One row per figure of which there is something to say, one column per server; `cell` is called with (workload,
    figure, server), and says "-" if there is nothing."""
    lines = [markdown_row(["", *(server["title"] for server in servers)]),
             markdown_row(["---", *("---:" for _ in servers)])]
    for workload in results.workloads:
        for figure in workload.figures:
            cells = [cell(workload, figure, server) for server in servers]
            if set(cells) != {"-"}:
                lines.append(markdown_row([figure.title, *cells]))
    return lines


def ratio_table(results):
    """Chorus relative to each other server; empty if there is nothing to compare."""
    chorus = next((server for server in results.servers if server["key"] == "chorus"), None)
    others = [server for server in results.servers if server != chorus]
    if chorus is None or not others:
        return []

    def cell(workload, figure, other):
        ratio = results.ratio(workload, figure, chorus, other)
        return "-" if ratio is None else number(ratio)

    return ["", "Chorus relative to each of them (below 1: Chorus takes less), as the median of the ratios within each "
            "round:", "", *markdown_table(results, others, cell)]


def lines_of_ratios_to_other_workloads(results):
    """What each server takes for one workload relative to another one of its own."""
    titles = {workload.key: workload.title for workload in results.workloads}
    return [f"- {server['title']}, {workload.title} relative to {titles[workload.beside]}: {number(ratio)}"
            for workload in results.workloads for server in results.servers
            if (ratio := results.ratio_to_other_workload(workload, server)) is not None]


def markdown(results, chart=None):
    """The whole report. `chart` is the file name of a picture to show."""
    lines = ["# Chorus and its peers", ""]
    lines += [f"{label}: {text}  " for label, text in results.facts.items()]
    if chart:
        lines += ["", f"![Server CPU per delivery]({chart})"]
    rounds = f"{results.rounds} interleaved rounds" if results.rounds > 1 else "1 round"
    lines += ["", f"Medians of {rounds}; less is better. {TERMS}"]
    lines += ["", *markdown_table(results, results.servers, results.cell), *ratio_table(results)]
    if beside := lines_of_ratios_to_other_workloads(results):
        lines += ["", *beside]
    if results.rounds > 1:
        lines += ["", "Least and greatest of the rounds:", ""]
        lines += markdown_table(results, results.servers, results.spread)
    if results.skipped:
        lines += ["", "Not measured:", "", *(f"- {skipped['title']}: {skipped['why']}" for skipped in results.skipped)]
    return "\n".join(lines) + "\n"
