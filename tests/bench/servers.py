"""The servers that are compared: how each is had on this machine, and how it is run."""

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time

PEERS = pathlib.Path(__file__).resolve().parent / "peers"

START_DEADLINE = 30.0  # seconds; a virtual machine on a busy core takes its time
STOP_DEADLINE = 5.0
BUILD_DEADLINE = 1800.0

# Messages. A virtual machine interprets before it compiles; that is not what is compared.
KTOR_WARM_UP = 400

# Prefix of a command that must not outlive this script, whatever ends it.
TIED_TO_US = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


class Unavailable(Exception):
    """Why a server cannot be had here, and what would help."""


@dataclasses.dataclass(frozen=True)
class Server:
    key: str  # its name on the command line
    title: str
    command: tuple  # {port} stands for the port
    version: str = ""
    slow: bool = False  # about 10 us for every delivery, see Workload.messages_if_slow
    warm_up: int = 64  # messages before those that are measured
    can: tuple = ("rooms",)  # what not all can: "rooms" (a path is a room), "json" (it speaks Chorus' JSON dialect)

    def command_at(self, port):
        return [part.replace("{port}", str(port)) for part in self.command]


def run_build(command, log, what):
    """Runs a command that builds something; raises Unavailable with the place of its output if it fails."""
    with open(log, "w", encoding="utf-8") as output:
        try:
            done = subprocess.run([*TIED_TO_US, *command], stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=BUILD_DEADLINE, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{what} takes too long; see {log}") from None
    if done.returncode != 0:
        raise Unavailable(f"{what} failed; see {log}")


def need_program(name, package):
    if shutil.which(name) is None:
        raise Unavailable(f"there is no {name} (on Debian: apt-get install {package})")


def is_current(product, sources):
    """True if `product` is there and none of its sources is newer."""
    return product.exists() and all(product.stat().st_mtime >= source.stat().st_mtime for source in sources)


class Workshop:
    """Gets servers ready. What that takes goes to `out`, never into the source tree."""

    def __init__(self, build, out):
        self._build = build
        self._out = out

    def known(self):
        """Name -> how to get it, in the order of the columns."""
        return {"chorus": self.chorus, "floor": self.floor, "2_in_turn": self.in_turn,
                "3_queue_each": self.queue_each, "4_batches": self.batches, "ws": self.ws, "ktor": self.ktor}

    def _compile(self, *targets):
        if not (self._build / "build.ninja").exists():
            raise Unavailable(f"{self._build} is no build directory (try: meson setup {self._build})")
        run_build(["meson", "compile", "-C", str(self._build), *targets], self._out / f"build-{targets[0]}.log",
                  f"compiling {' and '.join(targets)}")

    def bench(self):
        """The path of chorus-bench, built."""
        self._compile("chorus-bench")
        return self._build / "src/bench/chorus-bench"

    def chorus(self):
        self._compile("chorus-server")
        program = self._build / "src/chorus-server"
        options = ("--address", "127.0.0.1", "--port", "{port}", "--log-level", "warn", "--max-connections", "0")
        return Server("chorus", "Chorus", (str(program), *options), output_of([str(program), "--version"]),
                      can=("rooms", "json"))

    def floor(self):
        self._compile("floor")
        return Server("floor", "floor (raw epoll)", (str(self._build / "tests/bench/floor"), "{port}"))

    def in_turn(self):
        return self._rung("2_in_turn", "Beast, each in turn", slow=True)

    def queue_each(self):
        return self._rung("3_queue_each", "Beast, per message", slow=True)

    def batches(self):
        return self._rung("4_batches", "Beast, per batch", slow=False)

    def _rung(self, name, title, slow):
        self._compile(name)
        return Server(name, title, (str(self._build / "docs/ladder" / name), "{port}"), slow=slow, can=())

    def ws(self):
        need_program("node", "nodejs")
        need_program("npm", "npm")
        sources = [PEERS / "ws/package.json", PEERS / "ws/server.mjs"]
        version = json.loads(sources[0].read_text(encoding="utf-8"))["dependencies"]["ws"]
        home = self._out / "ws"
        home.mkdir(exist_ok=True)
        for source in sources:
            shutil.copy(source, home)
        if not is_current(home / "node_modules/ws/package.json", [PEERS / "ws/package.json"]):
            shutil.rmtree(home / "node_modules", ignore_errors=True)
            run_build(["npm", "install", "--prefix", str(home), "--no-package-lock", "--no-audit", "--no-fund"],
                      self._out / "build-ws.log", f"npm install of ws {version} (it needs a network)")
            (home / "node_modules/ws/package.json").touch()
        return Server("ws", "ws (Node)", ("node", str(home / "server.mjs"), "{port}"),
                      f"ws {version}, Node {output_of(['node', '--version'])}", slow=True)

    def ktor(self):
        need_program("java", "default-jre-headless")
        need_program("mvn", "maven default-jdk-headless")
        project, home = PEERS / "ktor/pom.xml", self._out / "ktor"
        version = re.search(r"<ktor.version>(.*)</ktor.version>", project.read_text(encoding="utf-8")).group(1)
        product = home / "classes/ChatKt.class"
        if not is_current(product, [project, PEERS / "ktor/src/Chat.kt"]):
            shutil.rmtree(home, ignore_errors=True)
            run_build(["mvn", "--batch-mode", "--quiet", "--file", str(project), f"-DbuildDirectory={home}",
                       "process-classes"], self._out / "build-ktor.log", f"mvn for Ktor {version} (it needs a network)")
        java = output_of(["java", "--version"])
        return Server("ktor", "Ktor", ("java", "-cp", f"{home}/classes:{home}/lib/*", "ChatKt", "{port}"),
                      f"Ktor {version}, {java}", slow=True, warm_up=KTOR_WARM_UP)


def output_of(command):
    """The first line that a command prints; empty if it cannot."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=START_DEADLINE, check=False)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip()


def parse_own(text):
    """A server that the user adds: NAME=COMMAND. Raises ValueError."""
    name, equals, command = text.partition("=")
    parts = shlex.split(command)
    if not re.fullmatch(r"[\w.+-]+", name) or not equals or "{port}" not in command:
        raise ValueError(f"'{text}' is not NAME=COMMAND with {{port}} where the port goes")
    # It may be another Chorus; if it is not, it says so at once.
    return Server(name, name, tuple(parts), version=command, can=("rooms", "json"))


# Below the range that connections get theirs from: those that are closed keep their port for a minute.
_ports = itertools.count(20000 + os.getpid() % 300 * 40)


def free_port():
    """A TCP port that nobody listens on. Never the same twice."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class RunningServer(contextlib.AbstractContextManager):
    """A server on a core and a port of its own; it is gone at the end of the block."""

    def __init__(self, server, cpu, log):
        self.port = free_port()
        with open(log, "ab") as output:
            # A session of its own, so that we can stop whatever it starts. taskset becomes the server: same process.
            self._process = subprocess.Popen([*TIED_TO_US, "taskset", "-c", str(cpu), *server.command_at(self.port)],
                                             stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                             start_new_session=True)
        self.pid = self._process.pid
        self._log = log

    def wait_until_listening(self):
        deadline = time.monotonic() + START_DEADLINE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        raise Unavailable(f"it does not listen; see {self._log}")

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_DEADLINE)
                return
