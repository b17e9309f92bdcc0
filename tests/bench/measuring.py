"""Runs chorus-bench against one server after the other, round after round."""

import collections
import json
import statistics
import subprocess
import time

import report
from servers import TIED_TO_US, RunningServer, Unavailable

STAGE_TIMEOUT = "60s"  # chorus-bench gives up on a stage after that
RUN_DEADLINE = 240.0  # seconds; longer than all stages of a run that goes well

# Who failed that often in a workload, and never succeeded, is not asked again: a failure may take until the deadline.
ENOUGH_FAILURES = 2


class Misunderstood(Exception):
    """chorus-bench does not know what it is asked."""


class Bench:
    """The load generator, and how it is to run."""

    def __init__(self, program, server_cpu, bench_cpu, share, logs):
        self._program = program
        self._server_cpu = server_cpu
        self._bench_cpu = bench_cpu
        self._share = share  # of the messages
        self._logs = logs

    def measure(self, workload, server):
        """The report of one run against a fresh server."""
        try:
            with RunningServer(server, self._server_cpu, self._logs / f"server-{server.key}.log") as running:
                running.wait_until_listening()
                command = [str(self._program), *workload.command(server, self._share), "--json",
                           "--timeout", STAGE_TIMEOUT, "--server-pid", str(running.pid), "--cpu", str(self._bench_cpu),
                           f"ws://127.0.0.1:{running.port}/chat"]
                done = subprocess.run([*TIED_TO_US, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=RUN_DEADLINE, check=False)
        except Unavailable as error:
            return {"ok": False, "error": str(error)}
        except subprocess.TimeoutExpired:
            return {"ok": False, "error": "timed out"}
        if done.returncode == 2:
            raise Misunderstood(f"{' '.join(command)}\n{done.stderr.strip()}")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return {"ok": False, "error": done.stderr.strip() or f"chorus-bench exited with {done.returncode}"}


class Progress:
    """What was measured, and how long the rest will take."""

    def __init__(self, total, say):
        self._total = total
        self._say = say
        self._done = 0
        self._seconds = collections.defaultdict(list)  # (workload, server) -> of its runs

    def finished(self, round_number, workload, server, result, seconds):
        self._done += 1
        self._seconds[workload.key, server.key].append(seconds)
        self._say(f"[{self._done}/{self._total}] round {round_number}, {workload.title}, {server.title}: "
                  f"{self._outcome(workload, result)}{self._time_left()}")

    def skipped(self):
        self._done += 1

    @staticmethod
    def _outcome(workload, result):
        if not result.get("ok"):
            return "failed: " + result.get("error", "chorus-bench does not say why")
        values = [report.value_at(result, figure.path) for figure in workload.figures]
        return ", ".join("-" if value is None else report.number(value / figure.scale)
                         for value, figure in zip(values, workload.figures))

    def _time_left(self):
        """Every round is the same work, so what is left takes as long, on average, as what was done."""
        left = self._total - self._done
        if left == 0:
            return ""
        seconds = left * statistics.mean(statistics.mean(each) for each in self._seconds.values())
        return f" (about {seconds / 60:.0f} min left)" if seconds >= 90 else f" (about {seconds:.0f} s left)"


def is_hopeless(runs, workload, server):
    """True if a server has failed a workload so often that nothing else is to be expected."""
    succeeded = [bool(run["result"].get("ok")) for run in runs
                 if (run["workload"], run["server"]) == (workload.key, server.key)]
    return len(succeeded) >= ENOUGH_FAILURES and not any(succeeded)


def measure_all(bench, workloads, servers, rounds, runs, say):
    """Appends to `runs`, so that the caller has what there is even if it is interrupted."""
    pairs = [(workload, server) for workload in workloads for server in servers if workload.suits(server)]
    progress = Progress(rounds * len(pairs), say)
    for round_number in range(1, rounds + 1):
        for workload, server in pairs:
            if is_hopeless(runs, workload, server):
                progress.skipped()
                continue
            begun = time.monotonic()
            result = bench.measure(workload, server)
            runs.append({"round": round_number, "workload": workload.key, "server": server.key, "result": result})
            progress.finished(round_number, workload, server, result, time.monotonic() - begun)
