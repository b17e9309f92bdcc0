"""The server as a service: what it tells the service manager and takes from it, its unit, and its container.

Usage: python3 service_test.py PATH_TO_CHORUS_SERVER SOURCE_DIR BUILD_DIR
"""

import contextlib
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import server_process
from server_process import DEADLINE, ServerTest, get, run_to_end

source_dir = build_dir = None  # main sets them

QUIET = "--max-connections=100"  # with this the log has nothing to say about the system's limits


class ServiceManager:
    """The end of systemd: a datagram socket, and what came there."""

    def __init__(self, test, address=None):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        test.addCleanup(self._socket.close)
        self._socket.bind(address or f"\0chorus-test-{os.getpid()}-{id(self)}")
        self._socket.settimeout(DEADLINE)
        self.environment = {"NOTIFY_SOCKET": address or "@" + self._socket.getsockname().decode()[1:]}

    def next(self):
        """The next message, as a dictionary."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def wait_for(self, key):
        """Its value in the next message that has it."""
        while True:
            if key in (message := self.next()):
                return message[key]

    def is_silent(self, seconds):
        """True if nothing comes for that long; what has come before is skipped."""
        self._socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(4096):
                pass
        self._socket.settimeout(seconds)
        try:
            self._socket.recv(4096)
            return False
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(DEADLINE)


@contextlib.contextmanager
def held_thread(test, pid, name):
    """Stops one thread of a child, as a debugger does."""
    seize, interrupt, detach, any_thread = 0x4206, 0x4207, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    thread = next(int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                  if (task / "comm").read_text().strip() == name)
    if libc.ptrace(seize, thread, None, None) != 0:
        test.skipTest(f"cannot trace a thread here: {os.strerror(ctypes.get_errno())}")
    test.assertEqual(libc.ptrace(interrupt, thread, None, None), 0)
    os.waitpid(thread, any_thread)
    try:
        yield
    finally:
        libc.ptrace(detach, thread, None, None)


def stop(server):
    """Until it has exited, in good order."""
    server.send_signal(signal.SIGTERM)
    assert server.wait_for_exit() == 0


class Notification(ServerTest):
    def test_ready_status_reload_stop(self):
        manager = ServiceManager(self)
        server = self.launch("--port=0", environment=manager.environment | {"WATCHDOG_USEC": "1000000"})
        self.assertEqual(manager.next(), {"READY": "1"})
        self.assertEqual(manager.wait_for("STATUS"), "0 sessions")
        server.wait_until_ready()

        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            self.assertEqual(manager.wait_for("STATUS"), "1 sessions")

            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            server.send_signal(signal.SIGHUP)
            since = int(manager.wait_for("MONOTONIC_USEC"))
            self.assertTrue(before <= since <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
            self.assertEqual(manager.wait_for("READY"), "1")
            server.wait_for_line("nothing to reload")
        self.assertEqual(manager.wait_for("STATUS"), "0 sessions")

        server.send_signal(signal.SIGTERM)
        self.assertEqual(manager.wait_for("STOPPING"), "1")
        self.assertEqual(server.wait_for_exit(), 0)

    def test_stop_is_told_when_it_begins(self):
        with tempfile.TemporaryDirectory() as folder:
            manager = ServiceManager(self, folder + "/notify")
            server = self.launch("--port=0", "--drain-delay=1h", environment=manager.environment)
            server.wait_until_ready()
            server.send_signal(signal.SIGTERM)
            manager.wait_for("STOPPING")
            self.assertEqual(get(server.port, "/healthz")[0], 200)
            server.send_signal(signal.SIGHUP)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertTrue(manager.is_silent(0.01))

    def test_watchdog_is_fed_twice_within_its_time_while_all_threads_run(self):
        manager = ServiceManager(self)
        server = self.launch("--port=0", "--threads=3", environment=manager.environment | {"WATCHDOG_USEC": "400000"})
        fed = []
        for _ in range(6):
            manager.wait_for("WATCHDOG")
            fed.append(time.monotonic())
        waits = [later - sooner for sooner, later in zip(fed, fed[1:])]
        # Not each of them: if this test is late once, two are off.
        self.assertTrue(0.15 < statistics.median(waits) < 0.4, waits)
        for name in ("shard-1", "shard-2"):
            with held_thread(self, server.pid, name):
                # One may have been under way.
                self.assertTrue(manager.is_silent(1) or manager.is_silent(1), name)
            manager.wait_for("WATCHDOG")

    def test_watchdog_of_another_process(self):
        manager = ServiceManager(self)
        self.launch("--port=0", environment=manager.environment | {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"})
        self.assertEqual([manager.next() for _ in range(2)], [{"READY": "1"}, {"STATUS": "0 sessions"}])
        self.assertTrue(manager.is_silent(0.2))

    def test_rubbish(self):
        for variable, value in (("NOTIFY_SOCKET", "relative"), ("NOTIFY_SOCKET", "/nowhere"), ("NOTIFY_SOCKET", "@"),
                                ("NOTIFY_SOCKET", "@" + "x" * 200), ("WATCHDOG_USEC", "soon"), ("WATCHDOG_USEC", "-1")):
            result = run_to_end("--port=0", environment={variable: value})
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, rf"^chorus-server: {variable}: '{value}' will not do: .+\n$")


class Activation(ServerTest):
    def listening(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        one = socket.socket(family)
        self.addCleanup(one.close)
        one.bind(address)
        one.listen(1000)
        return one

    def activate(self, sockets, names=None):
        names = {} if names is None else {"LISTEN_FDNAMES": names}
        return self.launch(QUIET, environment={"LISTEN_FDS": str(len(sockets))} | names, sockets=sockets)

    def test_adopts_a_socket_whatever_its_name_if_it_is_the_first(self):
        for names in (None, "http", "chorus.socket", ""):
            one = self.listening()
            server = self.activate([one], names)
            server.wait_until_ready()
            self.assertEqual(server.port, one.getsockname()[1])
            stop(server)

    def test_ipv6(self):
        if not socket.has_dualstack_ipv6():
            self.skipTest("no IPv6 here")
        one = self.listening(socket.AF_INET6, ("::1", 0))
        server = self.activate([one])
        server.wait_until_ready()
        self.assertEqual((server.address, server.port), ("[::1]", one.getsockname()[1]))

    def test_sockets_of_another_process_are_not_ours(self):
        server = self.start(environment={"LISTEN_PID": "1", "LISTEN_FDS": "rubbish"})
        self.assertEqual(get(server.port, "/healthz")[0], 200)

    def test_what_does_not_listen(self):
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stream = socket.socket()
        read, write = map(os.fdopen, os.pipe(), "rw")
        with tempfile.TemporaryDirectory() as folder, datagram, stream, read, write:
            local = self.listening(socket.AF_UNIX, folder + "/socket")
            here, there = self.listening(), self.listening()
            listens = r"the inherited descriptor 3 \(http\) will not do: expected a stream socket that listens"
            for sockets, names, count, complaint in (
                    ([datagram], "http", None, listens),
                    ([stream], "http", None, listens),
                    ([read], "http", None, listens),
                    ([local], "http", None, "cannot listen on the inherited socket 'http': Address family"),
                    ([here], "https", None, "the inherited socket 'https' is for a listener that is not switched on"),
                    ([here, there], "http:http", None, r"descriptor 4 \(http\) will not do: another one has that name"),
                    ([here, there], "http:other", None, "LISTEN_FDNAMES: 'other' will not do: expected http, https or"),
                    ([here, there], None, None, "LISTEN_FDNAMES: '' will not do"),
                    ([here], "http", "many", "LISTEN_FDS: 'many' will not do: expected a number from 0 to 3"),
                    ([here], "http", "99", "LISTEN_FDS: '99' will not do: expected a number from 0 to 3")):
                names = {"LISTEN_FDNAMES": names} if names else {}
                result = run_to_end(QUIET, "--port=0", sockets=sockets,
                                    environment={"LISTEN_FDS": count or str(len(sockets))} | names)
                self.assertEqual(result.returncode, 1, complaint)
                self.assertRegex(result.stderr, f"^chorus-server: .*{complaint}")

    def test_a_restart_refuses_nobody(self):
        one = self.listening()
        port = one.getsockname()[1]
        done = threading.Event()
        ends = {"answered": 0, "closed": 0, "refused": 0}

        def knock():
            while not done.is_set():
                try:
                    connection = socket.create_connection(("127.0.0.1", port), DEADLINE)
                except OSError:
                    ends["refused"] += 1
                    continue
                with connection, contextlib.suppress(ConnectionError):
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    answer = connection.recv(4096)
                    ends["answered" if answer.startswith(b"HTTP/1.1 ") else "closed"] += 1

        server = self.activate([one])
        server.wait_until_ready()
        knocking = threading.Thread(target=knock)
        knocking.start()
        restarts = 3
        try:
            for _ in range(restarts):
                stop(server)
                with socket.create_connection(("127.0.0.1", port), DEADLINE) as early:
                    early.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    server = self.activate([one])
                    self.assertTrue(early.recv(4096).startswith(b"HTTP/1.1 200 "))
            until = time.monotonic() + DEADLINE
            while ends["answered"] <= restarts and time.monotonic() < until:
                time.sleep(0.001)  # the last server still answers
        finally:
            done.set()
            knocking.join()
        self.assertEqual(ends["refused"], 0)
        self.assertGreater(ends["answered"], restarts)
        # Who was accepted at the very end, and had not asked yet.
        self.assertLessEqual(ends["closed"], restarts)


class CheckConfig(ServerTest):
    def test_good(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            result = run_to_end("--check-config", "--address=127.0.0.1", f"--port={taken.getsockname()[1]}")
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, "chorus-server: the configuration is good\n", ""))

    def test_bad(self):
        for arguments, complaint in (
                (["--address=nowhere"], "--address: 'nowhere' will not do: expected an IP address"),
                (["--config=/nowhere"], "/nowhere"),
                (["--prot=1"], "unknown option '--prot'")):
            result = run_to_end("--check-config", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(complaint, result.stderr)


class Unit(unittest.TestCase):
    """The unit as it is installed."""

    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        install = ["meson", "install", "-C", build_dir, "--no-rebuild", "--tags", "systemd", "--destdir", folder.name]
        subprocess.run(install, check=True, capture_output=True, timeout=60)
        self.service = next(pathlib.Path(folder.name).rglob("lib/systemd/system/chorus.service"))
        text = self.service.read_text(encoding="utf-8")
        command = re.search(r"(?m)^ExecStart=(\S+)$", text).group(1)
        self.assertRegex(command, r"^/.*/bin/chorus-server$")
        # The program itself is not installed there.
        self.service.write_text(text.replace(command, server_process.program), encoding="utf-8")

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)

    def test_is_valid(self):
        result = self.analyze("verify", str(self.service), str(self.service.with_suffix(".socket")))
        self.assertEqual((result.returncode, result.stdout + result.stderr), (0, ""))

    def test_is_hardened(self):
        result = self.analyze("security", "--offline=true", "--threshold=15", "--no-pager", str(self.service))
        self.assertRegex(result.stdout, r"Overall exposure level for chorus.service: \d")
        self.assertEqual(result.returncode, 0, result.stdout)


class Container(ServerTest):
    """The recipe, as far as it can be held against the program without running it."""

    def setUp(self):
        text = pathlib.Path(source_dir, "docs/container/Containerfile").read_text(encoding="utf-8")
        lines = re.sub(r"(?m)^#.*\n", "", text).replace("\\\n", " ").splitlines()
        self.instructions = [tuple(line.split(None, 1)) for line in lines if line.strip()]

    def values(self, name):
        return [value for instruction, value in self.instructions if instruction == name]

    def test_instructions(self):
        known = {"FROM", "RUN", "COPY", "USER", "EXPOSE", "ENTRYPOINT", "HEALTHCHECK", "WORKDIR", "STOPSIGNAL"}
        self.assertLessEqual({name for name, _ in self.instructions}, known)
        self.assertEqual(self.values("STOPSIGNAL"), ["SIGTERM"])
        self.assertRegex(self.values("USER")[-1], r"^[1-9]\d*:[1-9]\d*$")

    def test_names_what_exists(self):
        program = re.fullmatch(r'\["(/usr/bin/chorus-server)"\]', self.values("ENTRYPOINT")[0]).group(1)
        self.assertIn(f" /image{program} {program}", self.values("COPY")[-1])
        setup = next(run for run in self.values("RUN") if "meson setup" in run)
        self.assertIn("--prefix=/usr", setup)
        options = pathlib.Path(source_dir, "meson_options.txt").read_text(encoding="utf-8")
        for option in re.findall(r"-D(\w+)=", setup):
            self.assertIn(f"option('{option}'", options)
        default = re.search(r"--port N \(=(\d+)\)", run_to_end("--help").stdout).group(1)
        self.assertEqual(self.values("EXPOSE"), [default])
        packages = re.search(r'(?s)build_packages="(.*?)"', pathlib.Path(source_dir, "dev").read_text()).group(1)
        needed = {re.sub(r"BOOST|1\.\d+", "", name) for name in packages.replace("\\", "").split()}
        installed = {re.sub(r"1\.\d+", "", name) for name in re.findall(r"\S+", self.values("RUN")[0])}
        self.assertLessEqual(needed - {"libreadline-dev", "libboost-test-dev"}, installed)

    def test_health_check(self):
        check = re.fullmatch(r"(?:--\S+ +)*CMD (.*)", self.values("HEALTHCHECK")[0]).group(1)
        server = self.start("--address=127.0.0.1")
        self.assertIn("/8080", check)

        def run():
            return subprocess.run(["sh", "-c", check.replace("/8080", f"/{server.port}")], timeout=DEADLINE,
                                  check=False, capture_output=True).returncode

        self.assertEqual(run(), 0)
        stop(server)
        self.assertNotEqual(run(), 0)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(f"Usage: {sys.argv[0]} PATH_TO_CHORUS_SERVER SOURCE_DIR BUILD_DIR [unittest options]")
    source_dir, build_dir = sys.argv[2:4]
    del sys.argv[2:4]
    server_process.main()
