"""Adds up the test cases of all suites of the last `meson test`.

Usage: python3 tally.py BUILD_DIR

Prints a line for each suite and, as the last line, `N passed, N failed` and, if there are any, `, N skipped`.
The exit code is 0 only if something passed and nothing failed.

Understood are the summaries of Boost.Test (`--report_level=short`) and of Python's unittest. A suite without one counts
as a single test with the result that Meson saw; so does a suite that died before its summary. What Meson calls failed
has at least one failure, whatever its summary says: it may have crashed, or leaked, at its end.
"""

import json
import pathlib
import re
import sys
import typing

PASSED = ("OK", "EXPECTEDFAIL")


class Count(typing.NamedTuple):
    """How many test cases of a suite went which way."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(*(mine + its for mine, its in zip(self, other)))

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def boost_summary(output):
    """What Boost.Test reports, or None. Aborted test cases need no counting: it has them among the failed ones."""
    modules = re.findall(r'^Test module "[^"\n]*" (?:has|was) .*\n((?:  .*\n?)*)', output, re.MULTILINE)
    if not modules:
        return None

    def cases(way):
        return sum(int(n) for report in modules for n in re.findall(rf"^  (\d+) test cases? out of \d+ {way}$", report,
                                                                    re.MULTILINE))

    return Count(cases("passed(?: with warnings)?"), cases("failed") + cases("timed-out"), cases("skipped"))


def unittest_summary(output):
    """What Python's unittest reports, or None."""
    ran = re.search(r"^Ran (\d+) tests? in .*\n\n(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", output, re.MULTILINE)
    if not ran:
        return None
    details = {name: int(n) for name, n in re.findall(r"([a-z ]+)=(\d+)", (ran.group(3) or "").replace(", ", ","))}
    failed = sum(details.get(name, 0) for name in ("failures", "errors", "unexpected successes"))
    skipped = details.get("skipped", 0)
    # A test may fail in several subtests, and a class before its first test: then too few count as passed.
    return Count(max(int(ran.group(1)) - failed - skipped, 0), failed, skipped)


def count(test):
    """The test cases of one entry of Meson's log."""
    result = test["result"]
    if result == "SKIP":
        return Count(skipped=1)
    if result == "EXPECTEDFAIL":
        return Count(passed=1)
    output = "\n".join(test.get(stream) or "" for stream in ("stdout", "stderr"))
    summary = boost_summary(output) or unittest_summary(output)
    if summary is None:
        return Count(passed=1) if result in PASSED else Count(failed=1)
    if result not in PASSED and summary.failed == 0:
        return summary + Count(failed=1)
    return summary


def main():
    if len(sys.argv) != 2:
        sys.exit(f"Usage: {sys.argv[0]} BUILD_DIR")
    log = pathlib.Path(sys.argv[1], "meson-logs", "testlog.json")
    try:
        tests = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        sys.exit(f"{log}: {error.strerror}; run `meson test` first")
    total = Count()
    for test in tests:
        counted = count(test)
        total += counted
        remark = "" if test["result"] in PASSED else f" ({test['result']}, exit code {test.get('returncode')})"
        print(f"{test['name'].rsplit(' / ', 1)[-1]}: {counted}{remark}")
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
