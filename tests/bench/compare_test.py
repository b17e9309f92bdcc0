"""What the comparison computes and says, on figures that are known.

Usage: python3 compare_test.py
"""

import pathlib
import shutil
import tempfile
import unittest
from unittest import mock

import chart
import ladder
import measuring
import report
import servers
from workloads import WORKLOADS

BY_KEY = {workload.key: workload for workload in WORKLOADS}
W1, W32, JSON32, STALLED, IDLE = (BY_KEY[key] for key in ("w1", "w32", "json32", "stalled", "idle"))
ROOMS, UNREAD = BY_KEY["rooms"], BY_KEY["unread"]
CHORUS, PEER = {"key": "chorus", "title": "Chorus"}, {"key": "peer", "title": "A peer"}


def took(us):
    """What chorus-bench reports if a delivery costs so much."""
    return {"ok": True, "server": {"cpu_us_per_delivery": us}}


def failed(error):
    return {"ok": False, "error": error}


def results_of(*runs, skipped=()):
    """`runs`: (workload, server, the results of its rounds)."""
    return report.Results({
        "facts": {"Date": "today"}, "servers": [CHORUS, PEER], "skipped": list(skipped),
        "runs": [{"round": number, "workload": workload.key, "server": server["key"], "result": result}
                 for workload, server, results in runs for number, result in enumerate(results, 1)]})


class Figures(unittest.TestCase):
    def test_median_is_not_the_mean(self):
        results = results_of((W1, CHORUS, [took(9), took(1), took(2)]))
        self.assertEqual(results.median(W1, W1.figures[0], CHORUS), 2)
        self.assertEqual(results.spread(W1, W1.figures[0], CHORUS), "1.00..9.00")

    def test_ratio_is_taken_within_each_round(self):
        # In the second round the machine was ten times slower. The ratio of the medians would be 2 / 8.
        results = results_of((W1, CHORUS, [took(1), took(20), took(2)]), (W1, PEER, [took(2), took(40), took(8)]))
        self.assertEqual(results.ratio(W1, W1.figures[0], CHORUS, PEER), 0.5)

    def test_ratio_leaves_out_rounds_in_which_one_failed(self):
        results = results_of((W1, CHORUS, [took(1), took(5), failed("x")]), (W1, PEER, [took(4), failed("x"), took(1)]))
        self.assertEqual(results.ratio(W1, W1.figures[0], CHORUS, PEER), 0.25)

    def test_ratio_of_what_never_ran_together(self):
        results = results_of((W1, CHORUS, [took(1), failed("x")]), (W1, PEER, [failed("x"), took(1)]))
        self.assertIsNone(results.ratio(W1, W1.figures[0], CHORUS, PEER))

    def test_scale(self):
        results = results_of((IDLE, CHORUS, [{"ok": True, "server": {"rss_bytes_per_connection": 2560}}]))
        self.assertEqual(results.median(IDLE, IDLE.figures[0], CHORUS), 2.5)

    def test_figure_that_is_not_in_the_report(self):
        self.assertIsNone(report.value_at({"ok": True, "server": {}}, "server.cpu_us_per_delivery"))
        self.assertIsNone(report.value_at({"ok": True, "server": 1}, "server.cpu_us_per_delivery"))
        self.assertIsNone(report.value_at({"ok": False, "p99_ratio": 1}, "p99_ratio"))

    def test_numbers(self):
        for value, text in ((0, "0.000"), (0.02345, "0.023"), (0.9, "0.900"), (1.234, "1.23"), (12.34, "12.3"),
                            (123.4, "123"), (1234.5, "1,234"), (-12.34, "-12.3")):
            self.assertEqual(report.number(value), text)


class Failures(unittest.TestCase):
    def test_words(self):
        for error, word in (
                ("messages are missing; 3 receivers are behind: receiver 1 has not got ...", "lost messages"),
                ("receiver 7: got s0#12, out of order, or others were lost; due was s0#11", "wrong order"),
                ("not everything came in time; receiver 3 has not got s0#4", "too slow"),
                ("timed out", "too slow"),
                ("receiver 3: the server closed the connection with code 1013", "cut off a reader"),
                ("connection 3: cannot connect: Connection refused", "was gone"),
                ("connection 0: the server does not agree to the subprotocol chorus.v1", "no JSON dialect"),
                ("chorus-bench: 10000 connections need 10032 open files, but the limit is 4096", "too few descriptors"),
                ("a message came damaged: \"x\"", "a message came damaged"),
                ("Something_that_is_written_in_one_very_long_word", "Something_that_is_written_in_..."),
                ("", "failed")):
            self.assertEqual(report.short_error(error), word)

    def test_cell(self):
        results = results_of((W1, CHORUS, [took(1), failed("timed out"), took(3)]),
                             (W1, PEER, [failed("messages are missing"), failed("timed out"), failed("timed out")]))
        self.assertEqual(results.cell(W1, W1.figures[0], CHORUS), "2.00 (1x too slow)")
        self.assertEqual(results.cell(W1, W1.figures[0], PEER), "too slow")
        self.assertEqual(results.cell(IDLE, IDLE.figures[0], PEER), "-")

    def test_who_fails_all_the_time_is_not_asked_again(self):
        def runs(*results):
            return [{"round": 1, "workload": "w1", "server": "peer", "result": result} for result in results]

        peer = servers.Server("peer", "A peer", ())
        self.assertFalse(measuring.is_hopeless(runs(failed("x")), W1, peer))
        self.assertTrue(measuring.is_hopeless(runs(failed("x"), failed("y")), W1, peer))
        self.assertFalse(measuring.is_hopeless(runs(took(1), failed("x"), failed("y")), W1, peer))
        self.assertFalse(measuring.is_hopeless(runs(failed("x"), failed("y")), IDLE, peer))


class Tables(unittest.TestCase):
    def test_report(self):
        results = results_of((W1, CHORUS, [took(1), took(2)]), (W1, PEER, [took(4), took(4)]),
                             skipped=[{"title": "ws", "why": "there is no npm"}])
        lines = report.markdown(results, "results.svg").splitlines()
        row = "| W=1 N=1000: CPU, µs per delivery |"
        for line in ("Date: today  ", "![Server CPU per delivery](results.svg)", "|  | Chorus | A peer |",
                     f"{row} 1.50 | 4.00 |", f"{row} 0.375 |", f"{row} 1.00..2.00 | 4.00..4.00 |",
                     "- ws: there is no npm"):
            self.assertIn(line, lines)
        self.assertTrue(any(line.startswith("Medians of 2 interleaved rounds;") for line in lines))

    def test_json_is_compared_with_text(self):
        results = results_of((W32, CHORUS, [took(1), took(10)]), (W32, PEER, [took(1), took(1)]),
                             (JSON32, CHORUS, [took(1.5), took(20)]))
        lines = report.markdown(results).splitlines()
        self.assertIn("- Chorus, JSON W=32 N=1000 relative to W=32 N=1000: 1.75", lines)
        self.assertEqual(sum("JSON" in line for line in lines), 3, "the figures, their spread and the ratio")

    def test_json_alone_is_compared_with_nothing(self):
        self.assertNotIn("\n- ", report.markdown(results_of((JSON32, CHORUS, [took(1)]))))

    def test_one_round_has_no_spread(self):
        self.assertNotIn("greatest", report.markdown(results_of((W1, CHORUS, [took(1)]))))

    def test_nothing_is_shown_that_was_not_measured(self):
        text = report.markdown(results_of((W1, PEER, [took(4)])))
        self.assertNotIn("svg", text)
        self.assertNotIn("idle", text)
        self.assertNotIn("Not measured", text)

    def test_without_chorus_there_are_no_ratios(self):
        alone = report.Results({"facts": {}, "servers": [PEER], "skipped": [], "runs": []})
        self.assertNotIn("relative", report.markdown(alone))


class Ladder(unittest.TestCase):
    def test_table(self):
        unread = {"ok": True, "p99_ratio": 1.25, "server": {"rss_growth_bytes": 3 << 20}}
        results = results_of((W1, {"key": "2_in_turn"}, [took(9), took(10), took(11)]),
                             (UNREAD, {"key": "2_in_turn"}, [failed("timed out")]),
                             (W32, CHORUS, [took(0.25)]), (UNREAD, CHORUS, [unread]))
        rows = [line.strip("| ").split(" | ") for line in ladder.table(results)]
        self.assertEqual([row[0] for row in rows[2:]], ["1_echo", "2_in_turn", "3_queue_each", "4_batches", "Chorus"])
        self.assertEqual({line.count("|") for line in ladder.table(results)}, {len(ladder.HEAD) + 1})
        self.assertEqual(rows[2][2:], ["-"] * 4)
        self.assertEqual(rows[3][2:], ["10.0", "-", "for ever", "-"])
        self.assertEqual(rows[6][2:], ["-", "0.250", "1.25", "3.00"])
        for row in rows[2:6]:
            self.assertIn(int(row[1]), range(40, 151), row[0])

    def test_pages_show_one_table_of_these_programs(self):
        shown = []
        for page in ("README.md", "docs/ladder/README.md"):
            lines = (ladder.SOURCE / page).read_text(encoding="utf-8").splitlines()
            at = lines.index("| " + " | ".join(ladder.HEAD) + " |")
            shown.append(lines[at:at + 7])
        self.assertEqual(shown[0], shown[1])
        now = [line.split(" | ")[:2] for line in ladder.table(results_of())[2:6]]
        self.assertEqual([line.split(" | ")[:2] for line in shown[0][2:6]], now, "run ./dev bench --ladder")

    def test_only_code_counts(self):
        with tempfile.NamedTemporaryFile("w+", suffix=".cpp") as file:
            file.write("// about\n\n#include <set>\n  // why\nint x;  // what\n")
            file.flush()
            self.assertEqual(ladder.lines_of_code([pathlib.Path(file.name)]), 2)

    def test_all_that_it_needs_is_there(self):
        known = set(servers.Workshop(None, None).known())
        self.assertLessEqual(set(ladder.SERVERS), known)
        self.assertLessEqual(set(ladder.KEYS), set(BY_KEY))
        self.assertLessEqual(ladder.NOWHERE_ELSE, known | set(BY_KEY))


class Chart(unittest.TestCase):
    def test_bars_and_failures(self):
        text = chart.script(results_of((W1, CHORUS, [took(0.25)]), (W1, PEER, [failed("timed out")])))
        self.assertIn(f"0.25 0.0 {int(chart.COLOURS['chorus'][1:], 16)}", text.splitlines())
        self.assertIn('"too slow"', text)

    def test_nothing_to_draw(self):
        with self.assertRaises(chart.Unavailable):
            chart.script(results_of((W1, PEER, [failed("timed out")])))

    def test_names_are_quoted(self):
        self.assertEqual(chart.quoted('a"b\\c'), r'"a\"b\\c"')

    def test_legend_stays_within_the_picture(self):
        placed = chart.legend([("a server with a name", "#000000")] * 9)
        self.assertGreater(placed[-1][1], placed[0][1])
        self.assertTrue(all(x + len(name) * chart.CHARACTER < chart.WIDTH for x, _, name, _ in placed))

    def test_without_gnuplot(self):
        with mock.patch.object(shutil, "which", return_value=None):
            with self.assertRaisesRegex(chart.Unavailable, "apt-get install gnuplot-nox"):
                chart.draw(results_of((W1, CHORUS, [took(1)])), pathlib.Path("never-written.svg"))


class Workloads(unittest.TestCase):
    def test_slow_servers_get_fewer_messages(self):
        fast = servers.Server("fast", "Fast", ())
        slow = servers.Server("slow", "Slow", (), slow=True, warm_up=400)
        self.assertEqual(W1.command(fast)[-4:], ["--messages", "1000", "--warm-up", "64"])
        self.assertEqual(W1.command(slow)[-4:], ["--messages", "300", "--warm-up", "400"])
        self.assertEqual(W1.command(slow, share=0.1)[-4:], ["--messages", "30", "--warm-up", "400"])
        self.assertEqual(STALLED.command(slow)[-4:-2], ["--messages", "250"])
        self.assertNotIn("--messages", IDLE.command(slow))

    def test_only_who_can_is_asked(self):
        self.assertIn("--json-dialect", JSON32.command(servers.Server("a", "A", ())))
        self.assertNotIn("--json-dialect", W32.command(servers.Server("a", "A", ())))
        bench, runs = mock.Mock(), []
        bench.measure.return_value = took(1)
        asked = [servers.Server("a", "A", ()), servers.Server("b", "B", (), can=("rooms", "json")),
                 servers.Server("c", "C", (), can=())]
        measuring.measure_all(bench, [W32, JSON32, ROOMS], asked, 1, runs, mock.Mock())
        self.assertEqual([(run["workload"], run["server"]) for run in runs],
                         [("w32", "a"), ("w32", "b"), ("w32", "c"), ("json32", "b"), ("rooms", "a"), ("rooms", "b")])

    def test_what_stands_beside_another_is_there(self):
        for workload in WORKLOADS:
            self.assertIn(workload.beside, {"", *BY_KEY})

    def test_keys_are_unique(self):
        self.assertEqual(len(BY_KEY), len(WORKLOADS))


class Servers(unittest.TestCase):
    def setUp(self):
        out = tempfile.TemporaryDirectory()
        self.addCleanup(out.cleanup)
        self.out = pathlib.Path(out.name)
        self.workshop = servers.Workshop(self.out / "build", self.out)

    def test_own(self):
        own = servers.parse_own("mine=/opt/chat --port={port} 'a b'")
        self.assertEqual(own.command_at(7), ["/opt/chat", "--port=7", "a b"])
        for wrong in ("mine", "=x {port}", "mine=x", "my server=x {port}", "mine='x {port}"):
            with self.assertRaises(ValueError):
                servers.parse_own(wrong)

    def test_missing_programs_are_named(self):
        for get, pattern in ((self.workshop.ws, "no node .*apt-get install nodejs"),
                             (self.workshop.ktor, "no java .*apt-get install default-jre")):
            with mock.patch.object(shutil, "which", return_value=None):
                with self.assertRaisesRegex(servers.Unavailable, pattern):
                    get()

    def test_missing_build_directory(self):
        with self.assertRaisesRegex(servers.Unavailable, "meson setup"):
            self.workshop.chorus()

    def test_failed_build_names_its_log(self):
        log = self.out / "build.log"
        with self.assertRaisesRegex(servers.Unavailable, f"npm install failed; see {log}"):
            servers.run_build(["sh", "-c", "echo no network; exit 1"], log, "npm install")
        self.assertEqual(log.read_text(encoding="utf-8"), "no network\n")

    def test_server_that_does_not_listen(self):
        log = self.out / "server.log"
        with servers.RunningServer(servers.Server("x", "x", ("true", "{port}")), 0, log) as running:
            with self.assertRaisesRegex(servers.Unavailable, "does not listen"):
                running.wait_until_listening()

    def test_server_is_gone_afterwards(self):
        with servers.RunningServer(servers.Server("x", "x", ("sleep", "60")), 0, self.out / "server.log") as running:
            process = pathlib.Path(f"/proc/{running.pid}")
            self.assertTrue(process.exists())
        self.assertFalse(process.exists())


if __name__ == "__main__":
    unittest.main()
