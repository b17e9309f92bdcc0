"""A chorus-server in a process of its own, for tests that see it from outside.

A test file that uses this takes the path of the program as its first argument and ends with `server_process.main()`.
"""

import contextlib
import fcntl
import http.client
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

DEADLINE = 30.0  # seconds that any one thing may take

program = None  # the path of chorus-server; main() sets it


def clean_environment(**extra):
    """The environment of this process, without what configures a chorus-server, and with `extra`. A server has as many
    threads as TEST_THREADS says, each room spans all of them, and nobody listens for operators."""
    kept = {name: value for name, value in os.environ.items() if name != "PORT" and not name.startswith("CHORUS_")}
    return kept | {"CHORUS_THREADS": os.environ.get("TEST_THREADS", "2"), "CHORUS_LARGE_ROOM": "0",
                   "CHORUS_ADMIN_ADDRESS": ""} | extra


# Below the range that the system hands out by itself, and elsewhere for tests that run at the same time.
_ports = itertools.count(20000 + os.getpid() % 120 * 100)


def free_port():
    """A TCP port that nobody listens on. Never the same twice."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("0.0.0.0", port))
            return port


def get(port, path, host="127.0.0.1"):
    """Status and body of a plain GET."""
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=DEADLINE)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def wait_until_responding(port, host="127.0.0.1"):
    """Returns as soon as a server at `port` answers."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            get(port, "/healthz", host)
            return
        except OSError:
            if time.monotonic() > deadline:
                raise AssertionError(f"nothing responds at port {port}") from None
            time.sleep(0.01)


# Runs a command with sockets as descriptors from 3 on: NUMBERS COMMAND..., where NUMBERS are what they are until then.
HAND_OVER = """import os, sys
for i, number in enumerate(map(int, sys.argv[1].split())):
    os.dup2(number, 3 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])"""


@contextlib.contextmanager
def handed_over(sockets):
    """How to start the program so that it inherits these sockets, as systemd does: what its command begins with, and
    the descriptors to pass."""
    if not sockets:
        yield [], ()
        return
    # Where they are in nobody's way.
    numbers = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 100) for one in sockets]
    try:
        yield [sys.executable, "-c", HAND_OVER, " ".join(map(str, numbers))], numbers
    finally:
        for number in numbers:
            os.close(number)


def run_to_end(*arguments, environment=None, sockets=()):
    """Runs the server until it exits by itself. For what must fail, or answer and exit."""
    with handed_over(sockets) as (handing, numbers):
        return subprocess.run([*handing, program, *arguments], env=clean_environment(**(environment or {})),
                              pass_fds=numbers, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=DEADLINE, check=False)


class ServerProcess:
    """A server that runs, with its log. What it logs is read all the time, so that it never waits for us."""

    def __init__(self, *arguments, environment=None, descriptors=None, sockets=()):
        self._errors = tempfile.TemporaryFile()
        limited = ["prlimit", f"--nofile={descriptors}"] if descriptors else []
        with handed_over(sockets) as (handing, numbers):
            self._process = subprocess.Popen([*limited, *handing, program, *arguments], pass_fds=numbers,
                                             env=clean_environment(**(environment or {})), stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=self._errors)
        self._changed = threading.Condition()
        self._lines = []
        self._log_ended = False
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.address = None
        self.port = None

    def _read_log(self):
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line.decode().removesuffix("\n"))
                self._changed.notify_all()
        with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    def log(self):
        """The lines that it has logged up to now. A line ends with a line feed and nothing else."""
        with self._changed:
            return list(self._lines)

    def errors(self):
        """What it wrote to standard error up to now."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for_line(self, pattern):
        """Waits until it has logged a line that contains the regular expression, and returns the match."""

        def find():
            return next(filter(None, (re.search(pattern, line) for line in self._lines)), None)

        with self._changed:
            self._changed.wait_for(lambda: find() or self._log_ended, DEADLINE)
            if found := find():
                return found
            log = "\n".join(self._lines)
        raise AssertionError(f"the server never logged /{pattern}/, but:\n{log}\n{self.errors()}")

    def wait_until_announced(self):
        """Waits for the line that says where it responds, and remembers `address` and `port`."""
        found = self.wait_for_line(r"Responding at http://(\[[^]]+\]|[0-9.]+):(\d+)")
        self.address, self.port = found.group(1), int(found.group(2))

    def wait_until_ready(self):
        """Waits until it says where it responds, and responds there."""
        self.wait_until_announced()
        host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(self.address, self.address.strip("[]"))
        wait_until_responding(self.port, host)

    @property
    def pid(self):
        return self._process.pid

    def send_signal(self, number):
        self._process.send_signal(number)

    def wait_for_exit(self):
        """Waits until the process is gone, and returns its exit code (negative: the signal that killed it)."""
        try:
            code = self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            log = "\n".join(self.log())
            raise AssertionError(f"the server does not exit:\n{log}\n{self.errors()}") from None
        self._reader.join(DEADLINE)
        return code

    def end(self):
        """Stops it if it still runs. It must exit in good order, and have nothing to complain about."""
        try:
            if self._process.poll() is None:
                self.send_signal(signal.SIGTERM)
            code = self.wait_for_exit()
            if code != 0 or self.errors():
                raise AssertionError(f"the server exited with {code}:\n{self.errors()}")
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._reader.join(DEADLINE)
            self._process.stdout.close()
            self._errors.close()


class ServerTest(unittest.TestCase):
    """A test that starts servers; none of them survives it, and each must end in good order."""

    def start(self, *arguments, environment=None):
        """A server on some free port that is ready."""
        server = self.launch("--port=0", *arguments, environment=environment)
        server.wait_until_ready()
        return server

    def launch(self, *arguments, environment=None, descriptors=None, sockets=()):
        """A server with exactly these arguments, at most so many descriptors, and these sockets to inherit, that may
        not be ready yet."""
        server = ServerProcess(*arguments, environment=environment, descriptors=descriptors, sockets=sockets)
        self.addCleanup(server.end)
        return server


def main():
    """Runs the tests of the calling file: FILE PATH_TO_CHORUS_SERVER [what unittest takes]."""
    global program
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit(f"Usage: {sys.argv[0]} PATH_TO_CHORUS_SERVER [unittest options]")
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__")
