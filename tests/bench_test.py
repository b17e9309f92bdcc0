"""chorus-bench against the server, and against servers that do what no server should.

Usage: python3 bench_test.py PATH_TO_CHORUS_SERVER PATH_TO_CHORUS_BENCH
"""

import asyncio
import contextlib
import json
import logging
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import unittest

try:
    import websockets
except ImportError:
    print("skipped: this Python has no package `websockets`")
    sys.exit(77)

import server_process
from server_process import ServerTest, clean_environment, free_port

# A client that has seen enough hangs up, which is news to nobody here.
logging.getLogger("websockets").setLevel(logging.CRITICAL)

DEADLINE = 60.0  # seconds; a run under a sanitizer takes its time

bench = None  # the path of chorus-bench


def run(command, port, *options):
    """Runs chorus-bench to its end."""
    return subprocess.run([bench, command, *options, f"ws://127.0.0.1:{port}/chat"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE, check=False)


class Measuring(ServerTest):
    """Small runs of everything, with the order check that is part of each."""

    def setUp(self):
        self.server = self.start("--log-level=info")
        self.pid = str(self.server.pid)

    def measure(self, command, *options):
        """What a run reports as JSON. It must succeed."""
        result = run(command, self.server.port, "--json", "--timeout=30s", "--server-pid", self.pid, *options)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        self.assertEqual(result.stderr, "")
        report = json.loads(result.stdout)
        self.assertTrue(report["ok"])
        self.assertEqual(report["command"], command)
        return report

    def assert_percentiles(self, found):
        self.assertGreater(found["p50"], 0)
        self.assertLessEqual(found["p50"], found["p90"])
        self.assertLessEqual(found["p90"], found["p99"])
        self.assertLessEqual(found["p99"], found["p99_9"])
        self.assertLessEqual(found["p99_9"], found["max"])

    def test_a_closed_loop(self):
        # Long enough for the system to book the CPU time of a process that never sleeps, which it does once per tick.
        report = self.measure("fanout", "--receivers=20", "--senders=3", "--in-flight=8", "--messages=2000")
        self.assertEqual(report["deliveries"], 40000)
        self.assertEqual(report["missed"], 0)
        self.assertGreater(report["deliveries_per_s"], 0)
        self.assertGreater(report["server"]["cpu_us_per_delivery"], 0)
        self.assertGreaterEqual(report["server"]["peak_rss_bytes"], report["server"]["rss_bytes"])
        self.assertGreater(report["bench"]["busy"], 0)
        self.assert_percentiles(report["latency_us"])

    def test_an_open_loop_takes_the_time_that_its_rate_asks_for(self):
        report = self.measure("fanout", "--receivers=5", "--rate=200", "--messages=100", "--warm-up=1")
        self.assertEqual(report["deliveries"], 500)
        self.assertGreaterEqual(report["elapsed_s"], 99 / 200)
        self.assert_percentiles(report["latency_us"])

    def test_messages_larger_than_a_read(self):
        report = self.measure("fanout", "--receivers=3", "--in-flight=4", "--messages=20", "--size=60KiB")
        self.assertEqual(report["deliveries"], 60)

    def test_rooms(self):
        report = self.measure("fanout", "--receivers=11", "--rooms=3", "--senders=2", "--in-flight=4", "--messages=600")
        self.assertEqual((report["rooms"], report["senders"]), (3, 2))
        # 100 messages of each sender, in rooms of 4, 4 and 3.
        self.assertEqual(report["deliveries"], 200 * 4 + 200 * 4 + 200 * 3)
        self.server.wait_for_line(r"joined name=user2 room=room2")

    def test_what_does_nothing_is_spread_over_rooms_too(self):
        self.measure("idle", "--connections=10", "--rooms=5", "--for=100ms")
        self.assertEqual(self.measure("connect", "--connections=10", "--rooms=5")["rooms"], 5)

    def test_two_threads(self):
        report = self.measure("fanout", "--threads=2", "--receivers=21", "--senders=4", "--in-flight=8",
                              "--messages=2000")
        self.assertEqual((report["threads"], report["deliveries"], report["missed"]), (2, 21 * 2000, 0))
        self.assert_percentiles(report["latency_us"])
        report = self.measure("fanout", "--threads=2", "--receivers=11", "--rooms=3", "--senders=2", "--json-dialect",
                              "--messages=600")
        self.assertEqual((report["deliveries"], report["missed"]), (200 * 4 + 200 * 4 + 200 * 3, 0))
        report = self.measure("fanout", "--threads=2", "--receivers=6", "--senders=3", "--rate=500", "--messages=50")
        self.assertEqual(report["deliveries"], 300)
        self.assertGreaterEqual(report["elapsed_s"], 49 / 500)

    def test_connections_on_two_threads(self):
        report = self.measure("connect", "--threads=2", "--connections=101")
        self.assert_percentiles(report["handshake_us"])
        self.measure("idle", "--threads=2", "--connections=101", "--for=100ms")
        self.assertEqual(self.measure("connect", "--connections=5")["threads"], 1)

    def test_json(self):
        report = self.measure("fanout", "--json-dialect", "--receivers=20", "--rooms=2", "--in-flight=8",
                              "--messages=2000")
        self.assertEqual(report["subprotocol"], "chorus.v1")
        self.assertEqual((report["deliveries"], report["missed"]), (20000, 0))
        self.assert_percentiles(report["latency_us"])

    def test_other_work_in_json(self):
        self.measure("idle", "--json-dialect", "--connections=100", "--for=100ms")
        self.measure("connect", "--json-dialect", "--connections=100")
        self.measure("churn", "--json-dialect", "--receivers=10", "--rate=200", "--messages=100", "--churn=100",
                     "--guests=5")
        self.assertEqual(self.measure("storm", "--json-dialect", "--connections=50", "--talk=2")["talk"]["missed"], 0)

    def test_stalled_receivers_in_json(self):
        self.server = self.start("--log-level=info", "--write-timeout=1m")
        self.pid = str(self.server.pid)
        ended = self.measure("stalled", "--json-dialect", "--receivers=20", "--stalled=20%", "--rate=200",
                             "--messages=60", "--warm-up=8", "--fill=12MiB")["stalled"]
        self.assertEqual(ended["told"] + ended["got_all"] + ended["cut_off"], 4)
        self.assertGreater(ended["told"], 0, "nobody was told of a gap")

    def test_presence_that_is_not_announced(self):
        self.server = self.start("--announce-limit=8", "--log-level=info")
        self.pid = str(self.server.pid)
        self.measure("fanout", "--json-dialect", "--receivers=20", "--messages=100")
        self.measure("churn", "--json-dialect", "--receivers=5", "--rate=200", "--messages=100", "--churn=100",
                     "--guests=5")
        self.measure("storm", "--json-dialect", "--connections=30")

    def test_connections(self):
        report = self.measure("connect", "--connections=100")
        self.assertGreater(report["connections_per_s"], 0)
        self.assertGreater(report["connections_per_s_at_first"], 0)
        self.assertGreater(report["server"]["cpu_us_per_connection"], 0)
        self.assertGreater(report["server"]["cpu_us_per_connection_at_first"], 0)
        self.assert_percentiles(report["handshake_us"])

    def test_idle_connections(self):
        report = self.measure("idle", "--connections=100", "--for=100ms")
        self.assertIn("rss_bytes_per_connection", report["server"])
        self.assertGreaterEqual(report["server"]["cpu_us_per_connection_per_s"], 0)

    def test_stalled_receivers(self):
        report = self.measure("stalled", "--receivers=20", "--stalled=20%", "--rate=200", "--messages=60",
                              "--warm-up=8", "--fill=12MiB")
        self.assertGreater(report["p99_ratio"], 0)
        ended = report["stalled"]
        self.assertEqual(ended["receivers"], 4)
        self.assertEqual(ended["told"] + ended["got_all"] + ended["cut_off"], 4)
        self.assertGreater(ended["told"] + ended["cut_off"], 0, "nobody was really behind")
        self.assert_percentiles(report["some_stalled_us"])
        kernel = report["kernel"]
        self.assertAlmostEqual(kernel["tcp_growth_bytes_per_stalled"] * 4, kernel["tcp_growth_bytes"])

    def test_churn(self):
        report = self.measure("churn", "--receivers=10", "--rate=200", "--messages=100", "--churn=100", "--guests=5")
        self.assertGreater(report["joined"], 10)
        self.server.wait_for_line(r"closed .*reason=.closed by peer: 1005")

    def test_a_storm(self):
        report = self.measure("storm", "--connections=50", "--talk=2")
        self.assertEqual(report["connections"], 50)
        for phase in "connect", "talk", "leave":
            self.assertGreater(report[phase]["longest_silence_us"], 0)
            self.assertGreater(report[phase]["elapsed_s"], 0)
            self.assertGreater(report[phase]["server_cpu_s"], 0)
        self.assertEqual((report["talk"]["deliveries"], report["talk"]["missed"]), (50 * 50 * 2, 0))
        self.assert_percentiles(report["talk"]["latency_us"])
        self.server.wait_for_line(r"closed .*reason=.closed by peer: 1005")

    def test_a_storm_without_a_word(self):
        report = self.measure("storm", "--connections=20", "--talk=0", "--at-once=5")
        self.assertNotIn("talk", report)
        self.assertGreater(report["leave"]["longest_silence_us"], 0)

    def test_a_table_for_people(self):
        result = run("fanout", self.server.port, "--receivers=5", "--messages=50", "--server-pid", self.pid)
        self.assertEqual(result.returncode, 0, result.stderr)
        figures = result.stdout.split("\n\n")[1]
        self.assertRegex(figures, r"^  server CPU per delivery +[0-9.]+ us\n")
        self.assertRegex(figures, r"(?m)^  latency +p50 .*, p90 .*, p99 .*, p99\.9 .*, max ")

    def test_a_line_of_progress_on_a_terminal(self):
        try:
            screen, terminal = pty.openpty()
        except OSError as error:
            self.skipTest(f"no pseudo-terminals here: {error}")
        with subprocess.Popen([bench, "idle", "--connections=10", "--for=500ms", "--server-pid", self.pid,
                               f"ws://127.0.0.1:{self.server.port}/chat"], stderr=terminal, stdout=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL) as process:
            os.close(terminal)
            shown = b""
            with contextlib.suppress(OSError):
                while chunk := os.read(screen, 4096):
                    shown += chunk
            self.assertEqual(process.wait(DEADLINE), 0)
        os.close(screen)
        self.assertIn("watching", shown.decode())
        self.assertTrue(shown.endswith(b"\r\x1b[K"), shown)


class FaultyServer:
    """A chat server in a thread that passes every broadcast through `distort(index, count, text)`: what member number
    `index` gets, as a list, instead of the `count`th text."""

    def __init__(self, distort, **handshake):
        self.port = free_port()
        self._distort = distort
        self._handshake = handshake  # what `websockets.serve` is told of it
        self._members = []
        self._count = 0
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=[ready], daemon=True)
        self._thread.start()
        ready.wait(DEADLINE)

    def _serve(self, ready):
        asyncio.set_event_loop(self._loop)
        self._stop = self._loop.create_future()

        async def serve():
            async with websockets.serve(self._converse, "127.0.0.1", self.port, compression=None, close_timeout=1,
                                        **self._handshake):
                ready.set()
                await self._stop

        self._loop.run_until_complete(serve())
        self._loop.close()

    async def _converse(self, connection, *_):
        self._members.append(connection)
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            await self._greet(connection)
            async for text in connection:
                await self._broadcast(text)

    async def _greet(self, newcomer):
        await newcomer.send("You are connected!")

    async def _broadcast(self, text):
        for index, member in enumerate(list(self._members)):
            for distorted in self._distort(index, self._count, text):
                if distorted is None:
                    await member.close(1008)
                else:
                    await member.send("[user]: " + distorted if distorted[0] != "[" else distorted)
        self._count += 1

    def close(self):
        self._loop.call_soon_threadsafe(self._stop.set_result, None)
        self._thread.join(DEADLINE)


class FaultyJsonServer(FaultyServer):
    """The same in the JSON dialect, where `distort(index, event)` says what a member gets instead of an event. Of the
    first five members, each gets `welcome` with the `seq` of its index, and its own joining has the next."""

    def __init__(self, distort):
        self._seq = 0
        self._in_turn = asyncio.Lock()
        super().__init__(distort, subprotocols=["chorus.v1"])

    async def _greet(self, newcomer):
        async with self._in_turn:
            index = len(self._members) - 1
            about = {"name": f"user{index}", "users": index + 1}
            await self._send(index, {"type": "welcome", "room": "lobby", **about, "epoch": 1, "seq": self._seq,
                                     "recovered": False})
            await self._announce({"type": "joined"} | about)

    async def _broadcast(self, text):
        async with self._in_turn:
            await self._announce({"type": "message", "from": "somebody", "text": json.loads(text)["text"]})

    async def _announce(self, event):
        self._seq += 1
        for index in range(len(self._members)):
            # As the server writes it: the type, `seq`, and then the rest.
            await self._send(index, {"type": event["type"], "seq": self._seq} | event | {"at": 1})

    async def _send(self, index, event):
        for distorted in self._distort(index, event):
            with contextlib.suppress(websockets.exceptions.ConnectionClosed):
                await self._members[index].send(json.dumps(distorted, separators=(",", ":")))


class Checking(unittest.TestCase):
    """The check must fail when it should. The fault is in what the third of five gets, from the 20th message on."""

    def check(self, distort, *options):
        server = FaultyServer(distort)
        self.addCleanup(server.close)
        return run("fanout", server.port, "--json", "--receivers=5", "--at-once=1", "--in-flight=4", "--messages=40",
                   "--warm-up=4", "--timeout=30s", *options)

    def assert_fails(self, distort, words, *options):
        result = self.check(lambda index, count, text: distort(count, text) if index == 2 else [text], *options)
        self.assertEqual(result.returncode, 1, result.stdout)
        report = json.loads(result.stdout)
        self.assertFalse(report["ok"])
        self.assertRegex(report["error"], words)
        self.assertIn(report["error"], result.stderr)

    def test_a_server_that_is_right_passes(self):
        result = self.check(lambda index, count, text: [text])
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_lost_message(self):
        self.assert_fails(lambda count, text: [] if count == 20 else [text],
                          r"receiver 2: got message 21 of sender 0, out of order, or others were lost; due was message 20")

    def test_the_end_is_lost(self):
        self.assert_fails(lambda count, text: [] if count >= 20 else [text],
                          r"not everything came in time; receiver 2 has not got message 20 of sender 0", "--timeout=2s")

    def test_nobody_gets_the_end(self):
        result = self.check(lambda index, count, text: [] if count >= 30 else [text], "--timeout=2s")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("nobody has got message 30 of sender 0", result.stderr)

    def test_a_message_that_comes_twice(self):
        self.assert_fails(lambda count, text: [text] * (2 if count == 20 else 1),
                          r"receiver 2: got message 20 of sender 0, for a second time")

    def test_the_last_message_comes_twice(self):
        self.assert_fails(lambda count, text: [text] * (2 if count == 44 else 1),
                          r"receiver 2: got message 44 of sender 0, for a second time")

    def test_messages_change_places(self):
        held = []

        def swap(count, text):
            if count == 20:
                held.append(text)
                return []
            return [text, *held] if count == 21 else [text]

        self.assert_fails(swap, r"receiver 2: got message 21 of sender 0, out of order")

    def test_a_damaged_message(self):
        self.assert_fails(lambda count, text: [text[:-1] + "!" if count == 20 else text], r"receiver 2: .*damaged")

    def test_a_message_from_another_room(self):
        # A server that has one room, whatever the path.
        result = self.check(lambda index, count, text: [text], "--rooms=2")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stderr, r"receiver \d: got message 0 of sender \d, which was said in another room")

    def test_what_comes_late_of_the_roll_call_is_not_counted_later(self):
        held = {}

        def hold(index, count, text):
            said = held.get(index, []) + [text]
            if count > 1:
                held[index] = []
                return said
            # The first message comes with the second one, and that comes with the third.
            held[index] = [text]
            return said[:-1]

        result = self.check(hold, "--timeout=5s")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(json.loads(result.stdout)["deliveries"], 5 * 40)

    def test_a_closed_connection(self):
        self.assert_fails(lambda count, text: [None] if count == 20 else [text],
                          r"receiver 2: the server closed the connection with code 1008")

    def test_a_gap_with_a_notice_is_no_fault(self):
        def skip(index, count, text):
            if index != 2 or count not in (20, 21, 22):
                return [text]
            return ["[chorus]: 3 messages skipped"] if count == 22 else []

        result = self.check(skip)
        self.assertEqual(result.returncode, 0, result.stdout)
        report = json.loads(result.stdout)
        self.assertEqual((report["deliveries"], report["missed"]), (5 * 40 - 3, 3))

    def storm(self, distort):
        """A storm over a server whose first member is the probe."""
        server = FaultyServer(distort)
        self.addCleanup(server.close)
        return run("storm", server.port, "--json", "--connections=5", "--at-once=1", "--talk=3", "--timeout=30s")

    def test_a_storm_over_a_server_that_is_right_passes(self):
        result = self.storm(lambda index, count, text: [text])
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_lost_message_in_a_storm(self):
        result = self.storm(lambda index, count, text: [] if index == 3 and count == 9 else [text])
        self.assertEqual(result.returncode, 1, result.stdout)
        # Where all talk at once, whoever is read first says what the order is: the others may be the ones to differ.
        self.assertRegex(result.stderr, r"receiver \d: got message . of sender .,.* out of order, or others were lost")

    def test_a_connection_that_is_closed_in_a_storm(self):
        result = self.storm(lambda index, count, text: [None] if index == 3 and count == 9 else [text])
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("receiver 2: the server closed the connection with code 1008", result.stderr)

    def test_the_probe_is_closed_in_a_storm(self):
        result = self.storm(lambda index, count, text: [None] if index == 0 and count == 9 else [text])
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("the probe: the server closed the connection with code 1008", result.stderr)

    def test_a_gap_in_a_storm_is_no_fault(self):
        def skip(index, count, text):
            if index not in (0, 3) or count != 9:
                return [text]
            return ["[chorus]: 1 messages skipped"]

        result = self.storm(skip)
        self.assertEqual(result.returncode, 0, result.stdout)
        talk = json.loads(result.stdout)["talk"]
        self.assertEqual((talk["deliveries"], talk["missed"]), (5 * 5 * 3 - 1, 1))

    def test_a_server_that_speaks_no_json(self):
        for handshake, words in (({}, "the server does not agree to the subprotocol chorus.v1"),
                                 ({"subprotocols": ["chorus.v2"], "select_subprotocol": lambda *_: "chorus.v2"},
                                  "the server chose the subprotocol 'chorus.v2', which was not offered")):
            server = FaultyServer(lambda index, count, text: [text], **handshake)
            self.addCleanup(server.close)
            for command, who in ("fanout", "connection 0"), ("storm", "the probe"):
                result = run(command, server.port, "--json-dialect", "--at-once=1")
                self.assertEqual(result.returncode, 1, result.stdout)
                self.assertIn(f"{who}: {words}", result.stderr)

    def test_a_server_that_refuses(self):
        server = server_process.ServerProcess("--port=0", "--address=127.0.0.1", "--max-connections=3")
        self.addCleanup(server.end)
        server.wait_until_ready()
        result = run("fanout", server.port, "--receivers=5", "--at-once=1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("connection 3: the server answered 503 Service Unavailable instead of 101", result.stderr)

    def test_a_server_that_has_no_room_for_the_probe_as_well(self):
        server = server_process.ServerProcess("--port=0", "--address=127.0.0.1", "--max-connections=5")
        self.addCleanup(server.end)
        server.wait_until_ready()
        result = run("storm", server.port, "--connections=5", "--at-once=1")
        self.assertEqual(result.returncode, 1)
        self.assertIn("connection 4: the server answered 503 Service Unavailable instead of 101", result.stderr)

    def test_a_server_that_says_nothing(self):
        for command, option, words in (("fanout", "--receivers=5", "5 of 5 connections were not open in time"),
                                       ("storm", "--connections=5", "the probe: no HTTP response came in time")):
            with socket.create_server(("127.0.0.1", 0)) as silent:
                result = run(command, silent.getsockname()[1], option, "--timeout=200ms")
            self.assertEqual(result.returncode, 1)
            self.assertIn(words, result.stderr)

    def test_nobody_listens(self):
        for command, who in (("fanout", "connection 0"), ("storm", "the probe")):
            result = run(command, free_port(), "--at-once=1")
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{who}: cannot connect: Connection refused", result.stderr)

    def test_the_server_dies_while_it_is_measured(self):
        server = server_process.ServerProcess("--port=0", "--address=127.0.0.1", "--log-level=info")
        self.addCleanup(server.end)
        server.wait_until_ready()
        with subprocess.Popen([bench, "fanout", "--receivers=5", "--rate=1", f"ws://127.0.0.1:{server.port}/chat"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            server.wait_for_line("joined name=user4")
            server.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(errors.decode(), r"the server closed the connection")

    def test_the_server_dies_in_a_storm(self):
        server = server_process.ServerProcess("--port=0", "--address=127.0.0.1", "--log-level=info")

        def bury():
            with self.assertRaisesRegex(AssertionError, "exited with -9"):
                server.end()

        self.addCleanup(bury)
        server.wait_until_ready()
        with subprocess.Popen([bench, "storm", "--connections=5000", "--at-once=1",
                               f"ws://127.0.0.1:{server.port}/chat"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            server.wait_for_line("joined name=user4")
            server.send_signal(signal.SIGKILL)
            _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(errors.decode(), r"the server closed the connection|the server hung up|"
                                            r"the connection is lost|cannot (connect|send)|no HTTP")


class CheckingThreads(unittest.TestCase):
    """What no thread can notice alone: on each of two there are one receiver and one sender, and the fault is in what
    one of them gets."""

    # Who finds it depends on when the threads compare.
    OUT_OF_ORDER = (r"(some receivers got message \d+ of sender . where others|receiver \d:) "
                    r"got message \d+ of sender ., out of order")

    def check(self, distort, timeout="30s"):
        server = FaultyServer(distort)
        self.addCleanup(server.close)
        return run("fanout", server.port, "--json", "--threads=2", "--receivers=2", "--senders=2", "--in-flight=4",
                   "--messages=40", "--warm-up=4", "--timeout", timeout)

    def assert_passes(self, distort, missed=0):
        result = self.check(distort)
        self.assertEqual(result.returncode, 0, result.stdout)
        report = json.loads(result.stdout)
        self.assertEqual((report["deliveries"], report["missed"]), (2 * 40 - missed, missed))

    def assert_fails(self, distort, words, *timeout):
        result = self.check(lambda index, count, text: distort(count, text) if index == 1 else [text], *timeout)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(json.loads(result.stdout)["error"], words)

    def test_a_server_that_is_right_passes(self):
        self.assert_passes(lambda index, count, text: [text])

    def test_whoever_missed_the_opening_follows_the_other_thread(self):
        self.assert_passes(lambda index, count, text: [] if (index, count) == (1, 0) else [text])

    def test_messages_change_places(self):
        texts = []

        def swap(count, text):
            if count >= 20:
                texts.append(text)
            if len(texts) < 2:
                return [] if texts else [text]
            before = texts[-2]
            if text.split()[1] == before.split()[1]:
                # Of one sender: that would be noticed at once.
                return [before]
            texts.clear()
            return [text, before]

        self.assert_fails(swap, self.OUT_OF_ORDER)

    def test_a_lost_message(self):
        self.assert_fails(lambda count, text: [] if count == 20 else [text],
                          self.OUT_OF_ORDER + ", or others were lost")

    def test_the_last_message_comes_twice(self):
        self.assert_fails(lambda count, text: [text] * (2 if count == 44 else 1),
                          r"receiver \d: got message \d+ of sender ., for a second time")

    def test_the_end_is_lost(self):
        self.assert_fails(lambda count, text: [] if count >= 30 else [text],
                          r"not everything came in time; receiver \d has not got message \d+ of sender \d$", "3s")

    def test_a_closed_connection(self):
        self.assert_fails(lambda count, text: [None] if count == 20 else [text],
                          r"receiver \d: the server closed the connection with code \d+")

    def test_a_gap_with_a_notice_is_no_fault(self):
        def skip(index, count, text):
            if index != 1 or count not in (20, 21, 22):
                return [text]
            return ["[chorus]: 3 messages skipped"] if count == 22 else []

        self.assert_passes(skip, missed=3)


class CheckingJson(unittest.TestCase):
    """The check of `seq`. Five members join, which are the events 1 to 5; then come the roll call, the warm-up, and 40
    messages that are measured, up to event 50. The fault is in what the third member gets."""

    def check(self, distort, command="fanout"):
        server = FaultyJsonServer(distort)
        self.addCleanup(server.close)
        load = {"fanout": ["--receivers=5", "--in-flight=4", "--messages=40", "--warm-up=4"],
                "storm": ["--connections=5", "--talk=3"]}
        return run(command, server.port, "--json", "--json-dialect", "--at-once=1", "--timeout=30s", *load[command])

    def assert_passes(self, distort, missed=0):
        result = self.check(distort)
        self.assertEqual(result.returncode, 0, result.stdout)
        report = json.loads(result.stdout)
        self.assertEqual((report["deliveries"], report["missed"]), (5 * 40 - missed, missed))

    def assert_fails(self, distort, words):
        result = self.check(lambda index, event: distort(event) if index == 2 else [event])
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(json.loads(result.stdout)["error"], "receiver 2: " + words)

    def test_a_server_that_is_right_passes(self):
        self.assert_passes(lambda index, event: [event])

    def test_fields_in_another_order_are_no_fault(self):
        self.assert_passes(lambda index, event: [dict(reversed(event.items()))])

    def test_a_lost_message(self):
        self.assert_fails(lambda event: [] if event["seq"] == 26 else [event],
                          "got seq 27, out of order, or others were lost; due was seq 26")

    def test_a_lost_joining(self):
        self.assert_fails(lambda event: [] if event["seq"] == 4 else [event],
                          "got seq 5, out of order, or others were lost; due was seq 4")

    def test_a_welcome_with_the_wrong_seq(self):
        self.assert_fails(lambda event: [event | {"seq": 1} if event["type"] == "welcome" else event],
                          "got seq 3, out of order, or others were lost; due was seq 2")

    def test_an_event_before_the_welcome(self):
        self.assert_fails(lambda event: [event] if event["type"] != "welcome" else [],
                          "got seq 3 before it was welcomed")

    def test_an_event_that_comes_twice(self):
        for seq in 5, 26, 50:
            self.assert_fails(lambda event: [event] * (2 if event["seq"] == seq else 1),
                              f"got seq {seq}, out of order or for a second time; due was seq {seq + 1}")

    def test_a_wrong_seq(self):
        self.assert_fails(lambda event: [event | {"seq": 126} if event["seq"] == 26 else event],
                          "got seq 126, out of order, or others were lost; due was seq 26")

    def test_a_number_that_nobody_gets(self):
        result = self.check(lambda index, event: [event | {"seq": event["seq"] + (event["seq"] >= 26)}])
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("got seq 27, out of order, or others were lost; due was seq 26", result.stderr)

    def test_other_numbers_than_others_get(self):
        result = self.check(lambda index, event: [event | {"seq": event["seq"] + (10 if index == 2 else 0)}])
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertRegex(result.stderr, "got message 0 of sender 0 with seq (16, others with seq 6|6, others with seq 16)")

    def test_what_is_no_event(self):
        self.assert_fails(lambda event: [event] if event["seq"] != 26 else ["[user]: hi"],
                          "the server sent what is no event of chorus.v1")

    def test_an_error(self):
        self.assert_fails(lambda event: [event] if event["seq"] != 26 else
                          [{"type": "error", "code": "unavailable", "detail": "Try again"}],
                          "the server sent the error unavailable: Try again")

    @staticmethod
    def with_gap(missing, named):
        """A member that does not get the events `missing`, and is told of the gap `named` instead."""

        def distort(event):
            if event["type"] == "welcome" or event["seq"] not in missing:
                return [event]
            return [{"type": "gap", "from": named[0], "to": named[-1]}] if event["seq"] == missing[-1] else []

        return distort

    def test_a_gap_with_a_notice_is_no_fault(self):
        # In the midst, and at the end.
        for missing in range(26, 29), range(48, 51):
            distort = self.with_gap(missing, missing)
            self.assert_passes(lambda index, event: distort(event) if index == 2 else [event], missed=3)

    def test_a_gap_with_a_wrong_notice(self):
        missing = range(26, 29)
        self.assert_fails(self.with_gap(missing, range(27, 29)),
                          "got seq 27, out of order, or others were lost; due was seq 26")
        self.assert_fails(self.with_gap(missing, range(26, 28)),
                          "got message 23 of sender 0, out of order, or others were lost; due was message 22")
        self.assert_fails(self.with_gap(missing, range(26, 30)),
                          "got seq 29, out of order or for a second time; due was seq 30")

    def test_presence_that_is_not_announced_is_no_fault(self):
        def distort(index, event):
            if event["type"] != "joined" or event["users"] < 4:
                return [event]
            return [{"type": "users", "users": 4}] if event["users"] == 4 and index != 3 else []

        self.assert_passes(distort)

    def test_a_storm(self):
        result = self.check(lambda index, event: [event], "storm")
        self.assertEqual(result.returncode, 0, result.stdout)
        # The first member is the probe.
        result = self.check(lambda index, event: [event] if (index, event["seq"]) != (3, 15) else [], "storm")
        self.assertIn("receiver 2: got seq 16, out of order, or others were lost; due was seq 15", result.stderr)


class Usage(unittest.TestCase):
    def complain(self, *arguments):
        result = subprocess.run([bench, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False,
                                env=clean_environment())
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertTrue(result.stderr.startswith("chorus-bench: "))
        return result.stderr

    def test_unknown_command(self):
        self.assertIn("'sprint' is no command", self.complain("sprint"))

    def test_a_host_that_is_not_this_one(self):
        self.assertIn("--i-own-this-host", self.complain("fanout", "ws://192.0.2.1/chat"))

    def test_a_core_that_is_not_there(self):
        self.assertIn("cannot run on core 4000", self.complain("fanout", "--cpu=4000"))

    def test_help_and_version(self):
        for arguments, words in ((["--help"], "fanout"), (["stalled", "--help"], "--fill"),
                                 (["storm", "--help"], "--talk"),
                                 (["--version"], "chorus-bench")):
            result = subprocess.run([bench, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=True)
            self.assertTrue(re.search(words, result.stdout), result.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 3 or not os.access(sys.argv[2], os.X_OK):
        sys.exit(f"Usage: {sys.argv[0]} PATH_TO_CHORUS_SERVER PATH_TO_CHORUS_BENCH [unittest options]")
    bench = os.path.abspath(sys.argv.pop(2))
    server_process.main()
