"""The program as its operator sees it: options, exit codes, log, signals.

Usage: python3 program_test.py PATH_TO_CHORUS_SERVER [PATH_TO_FAILING_MEMORY]
"""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import server_process
from server_process import DEADLINE, ServerTest, clean_environment, free_port, get, run_to_end, wait_until_responding

TEXT, CLOSE = 0x1, 0x8
SERVICE_RESTART = 1012

# With this the log has nothing to say about the system's limits.
FEW = "--max-connections=100"

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class RawWebSocket(contextlib.AbstractContextManager):
    """A WebSocket that does nothing by itself: it answers no ping and no close frame unless the test does. It speaks
    on the socket `connected` if there is one, which may be one of TLS."""

    def __init__(self, port, path="/chat", host="127.0.0.1", headers=(), connected=None):
        self._socket = connected or socket.create_connection((host, port), timeout=DEADLINE)
        self._input = self._socket.makefile("rb")
        request = [f"GET {path} HTTP/1.1", f"Host: localhost:{port}", "Connection: Upgrade", "Upgrade: websocket",
                   "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers, "", ""]
        self._socket.sendall("\r\n".join(request).encode())
        self.status = int(self._input.readline().split()[1])
        while self._input.readline().strip():
            pass

    def __exit__(self, *_):
        self._input.close()
        self._socket.close()

    @property
    def address(self):
        """Our own end, as the server's log writes it (IPv4)."""
        return "{}:{}".format(*self._socket.getsockname())

    def send(self, opcode, payload):
        """One final frame of less than 126 bytes, masked with zeros."""
        self._socket.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload)

    def send_large(self, size):
        """One text message of `size` bytes, 126 at least, masked with zeros."""
        short = size < 1 << 16
        header = struct.pack("!BBH4x" if short else "!BBQ4x", 0x80 | TEXT, 0x80 | (126 if short else 127), size)
        self._socket.sendall(header + b"x" * size)

    def send_close(self, code, reason=""):
        self.send(CLOSE, struct.pack("!H", code) + reason.encode())

    def receive(self):
        """The next frame of less than 126 bytes, as (opcode, payload); None at the end of the stream."""
        header = self._input.read(2)
        return (header[0] & 0xF, self._input.read(header[1])) if header else None

    def receive_close(self):
        """The code of the close frame that must come now."""
        opcode, payload = self.receive()
        assert opcode == CLOSE, (opcode, payload)
        return struct.unpack("!H", payload[:2])[0]


def temporary_file(test, content):
    """The path of a file that is there as long as the test runs."""
    file = tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8")
    test.addCleanup(file.close)
    file.write(content)
    file.flush()
    return file.name


def server_contains(symbol):
    """True if the program has a symbol, which tells what it was built with."""
    return symbol in pathlib.Path(server_process.program).read_bytes()


class Help(unittest.TestCase):
    def test_help_shows_groups_options_defaults_and_units(self):
        result = run_to_end("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"^Usage: chorus-server")
        for group in ("Listening", "Timeouts", "Limits", "Logging", "General"):
            self.assertRegex(result.stdout, rf"(?m)^{group}\b.*:$")
        for option, default in (
                ("address", "0.0.0.0"), ("port", "8080"), ("handshake-timeout", "10s"), ("ping-interval", "15s"),
                ("ping-timeout", "15s"), ("write-timeout", "10s"), ("drain-delay", "0"), ("drain-timeout", "10s"),
                ("max-header-size", "8KiB"), ("max-message-size", "64KiB"), ("outbound-limit", "1MiB"),
                ("unsent-limit", "64KiB"), ("max-connections", "10000"), ("max-connections-per-address", "0"),
                ("threads", "0"), ("large-room", "256"), ("log-level", "info"), ("log-format", "text"),
                ("slow-turn", "0")):
            self.assertRegex(result.stdout, rf"(?m)^  --{option} [A-Z]+ \(={re.escape(default)}\) +\S")
        for text in ("--allow-origin", "--config", "--help", "--version", "15s, 200ms, 1h", "64KiB, 1MiB",
                     "CHORUS_PORT"):
            self.assertIn(text, result.stdout)

    def test_help_comes_before_complaints_about_values_and_other_sources(self):
        for arguments, environment in ((["--port=x", "--help"], {}), (["--help", "--config=/nowhere"], {}),
                                       (["--help"], {"CHORUS_PROT": "1"}), (["--help"], {"PORT": "x"})):
            with self.subTest(arguments=arguments, environment=environment):
                result = run_to_end(*arguments, environment=environment)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertRegex(result.stdout, r"^Usage: chorus-server")

    def test_version(self):
        result = run_to_end("--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"\Achorus-server \d+\.\d+\.\d+\n\Z")


class UsageErrors(unittest.TestCase):
    """Exit code 2, nothing on standard output, and one line on standard error that names source, key and cure."""

    def check(self, *arguments, environment=None, expected):
        with self.subTest(arguments=arguments, environment=environment):
            result = run_to_end(*arguments, environment=environment)
            self.assertEqual((result.returncode, result.stdout), (2, ""), result.stderr)
            self.assertRegex(result.stderr, r"\Achorus-server: [^\n]+\n\Z")
            for text in expected:
                self.assertIn(text, result.stderr)

    def check_file(self, content, *expected):
        path = temporary_file(self, content)
        self.check("--config", path, expected=[path, *expected])

    def test_unknown_option(self):
        self.check("--prot=1", expected=["command line", "'--prot'", "did you mean", "port"])
        self.check("--log-levle", expected=["command line", "'--log-levle'", "did you mean", "log-level"])
        self.check("--xylophone=1", expected=["command line", "'--xylophone'", "see --help"])

    def test_unknown_option_whose_value_is_a_word_of_its_own(self):
        self.check("--prot", "8080", expected=["command line", "'--prot'", "did you mean", "port"])

    def test_unknown_short_option(self):
        self.check("-p", "8080", expected=["command line", "'-p'", "see --help"])

    def test_options_are_not_abbreviated(self):
        self.check("--addr=::1", expected=["command line", "'--addr'", "did you mean", "address"])

    def test_bad_value(self):
        number = "a number from 0 to 65535"
        for port in ("abc", "65536", "-1", "+1", " 1", "1 ", "0x10", "1.5"):
            self.check(f"--port={port}", expected=["command line", "--port", f"'{port}'", number])
        self.check("--address=localhost", expected=["command line", "--address", "'localhost'", "IP address"])
        for time_text in ("fast", "15 s", "15sec", "-1s", "1.5s", "400000h", "99999999999999999999s"):
            self.check(f"--ping-interval={time_text}", expected=["--ping-interval", f"'{time_text}'", "15s, 200ms"])
        for size in ("big", "64KB", "64kib", "-1", "2GiB", "99999999999999999999"):
            self.check(f"--max-message-size={size}",
                       expected=["--max-message-size", f"'{size}'", "64KiB", "1073741824"])
        self.check("--max-header-size=1", expected=["--max-header-size", "'1'", "from 256"])
        self.check("--max-connections=-1", expected=["--max-connections", "'-1'", "a number from 0"])
        self.check("--log-level=loud", expected=["--log-level", "'loud'", "trace, debug, info, warn, error"])
        self.check("--log-format=xml", expected=["--log-format", "'xml'", "text or json"])
        for origin in ("example.org", "https://example.org/", "https://", "null"):
            self.check(f"--allow-origin={origin}", expected=["--allow-origin", f"'{origin}'", "https://example.org"])

    def test_bad_value_in_words(self):
        self.check("--port", "abc", expected=["command line", "--port", "'abc'", "a number from 0 to 65535"])

    def test_the_complaint_is_one_line_whatever_the_value_is(self):
        self.check("--port=1\n2", expected=["command line", "--port"])

    def test_missing_value(self):
        self.check("--port", expected=["command line", "'--port'", "missing"])
        self.check("--port=", expected=["command line", "'--port'", "see --help"])
        self.check("--help=yes", expected=["command line", "'--help'", "see --help"])

    def test_missing_value_before_another_option(self):
        self.check("--port", "--address", "::1", expected=["command line", "--port"])

    def test_unexpected_argument(self):
        self.check("serve", expected=["command line", "'serve'", "see --help"])
        self.check("--port=0", "8080", expected=["command line", "'8080'", "see --help"])
        self.check("", expected=["command line", "''", "see --help"])

    def test_two_configuration_files(self):
        """Refused or read both, but `--config` is an option."""
        first, second = temporary_file(self, "log-level = info\n"), temporary_file(self, "log-level = warn\n")
        result = run_to_end("--config", first, "--config", second, "--address=192.0.2.1")
        self.assertNotIn("unknown option", result.stderr)

    def test_unknown_key_in_the_environment(self):
        self.check(environment={"CHORUS_PROT": "1"}, expected=["environment", "'CHORUS_PROT'", "did you mean CHORUS_PORT?"])
        self.check(environment={"CHORUS_HELP": "1"}, expected=["environment", "'CHORUS_HELP'", "see --help"])

    def test_bad_value_in_the_environment(self):
        number = "a number from 0 to 65535"
        self.check(environment={"PORT": "http"}, expected=["environment", "PORT:", "'http'", number])
        self.check(environment={"PORT": ""}, expected=["environment", "PORT:", "''", number])
        self.check(environment={"CHORUS_PORT": "http"}, expected=["environment", "CHORUS_PORT:", "'http'", number])
        self.check(environment={"CHORUS_LOG_FORMAT": "xml"},
                   expected=["environment", "CHORUS_LOG_FORMAT", "'xml'", "text or json"])

    def test_unreadable_configuration_file(self):
        with tempfile.TemporaryDirectory() as directory:
            missing = directory + "/missing.conf"
            for path in (missing, directory):
                self.check("--config", path, expected=[path, "cannot be read"])
                self.check(environment={"CHORUS_CONFIG": path}, expected=[path, "cannot be read"])

    def test_empty_name_of_a_configuration_file(self):
        self.check(environment={"CHORUS_CONFIG": ""}, expected=["CHORUS_CONFIG", "cannot be read"])

    def test_unknown_key_in_a_configuration_file(self):
        self.check_file("prot = 1\n", "'prot'", "did you mean", "port")
        self.check_file("[server]\nport = 1\n", "'server.port'", "see --help")
        self.check_file("config = other.conf\n", "'config'", "see --help")
        self.check_file("help = 1\n", "'help'", "see --help")

    def test_bad_value_in_a_configuration_file(self):
        self.check_file("port = http\n", "port:", "'http'", "a number from 0 to 65535")
        self.check_file("log-level = info\nping-timeout = soon\n", "ping-timeout:", "'soon'", "15s, 200ms")

    def test_line_that_says_nothing_in_a_configuration_file(self):
        self.check_file("# a comment\nport 8080\n", "'port 8080'")


class Precedence(ServerTest):
    """Command line > CHORUS_* > PORT > configuration file > default."""

    def announced(self, *arguments, environment=None):
        server = self.launch("--address=127.0.0.1", *arguments, environment=environment)
        server.wait_until_ready()
        return server.port

    def test_every_source_beats_the_weaker_ones(self):
        in_file, plain, named, given, alone = (free_port() for _ in range(5))
        config = "--config=" + temporary_file(self, f"# where to listen\nport = {in_file}\n")
        self.assertEqual(self.announced(config), in_file)
        self.assertEqual(self.announced(config, environment={"PORT": f"{plain}"}), plain)
        both = {"PORT": f"{plain}", "CHORUS_PORT": f"{named}"}
        self.assertEqual(self.announced(config, environment=both), named)
        self.assertEqual(self.announced(config, f"--port={given}", environment=both), given)
        self.assertEqual(self.announced(environment={"PORT": f"{alone}"}), alone)

    def test_default_port(self):
        # No machine has this address (RFC 5737), so the complaint shows the port, whoever may be using it.
        self.assertIn("cannot listen on 192.0.2.1:8080: ", run_to_end("--address=192.0.2.1").stderr)

    def test_sources_add_up_if_they_name_different_options(self):
        config = temporary_file(self, "log-format = json\n")
        server = self.launch("--port=0", FEW, environment={"CHORUS_CONFIG": config, "CHORUS_ADDRESS": "127.0.0.1"})
        server.wait_until_ready()
        self.assertEqual(server.address, "127.0.0.1")
        self.assertIsInstance(json.loads(server.log()[0]), dict)

    def test_file_of_the_command_line_replaces_that_of_the_environment(self):
        first, second = (free_port() for _ in range(2))
        weak, strong = temporary_file(self, f"port = {first}\n"), temporary_file(self, f"port={second}\r\n")
        self.assertEqual(self.announced("--config", strong, environment={"CHORUS_CONFIG": weak}), second)

    def test_list_is_replaced_not_merged(self):
        file_a, file_b, environ, line_a, line_b = (f"https://{name}.example" for name in ("a", "b", "c", "d", "e"))
        config = "--config=" + temporary_file(self, f"allow-origin = {file_a}\nallow-origin = {file_b}\n")
        in_environment = {"CHORUS_ALLOW_ORIGIN": environ}
        on_line = [f"--allow-origin={line_a}", f"--allow-origin={line_b}"]
        for arguments, environment, allowed in (
                ([config], {}, {file_a, file_b}), ([config], in_environment, {environ}),
                ([config, *on_line], in_environment, {line_a, line_b})):
            server = self.start(*arguments, environment=environment)
            admitted = set()
            for origin in (file_a, file_b, environ, line_a, line_b):
                with RawWebSocket(server.port, headers=[f"Origin: {origin}"]) as peer:
                    self.assertIn(peer.status, (101, 403))
                    if peer.status == 101:
                        admitted.add(origin)
            self.assertEqual(admitted, allowed)


class Listening(ServerTest):
    def test_port_0_announces_the_real_port(self):
        server = self.launch("--port=0", FEW)
        server.wait_until_announced()
        self.assertEqual(server.address, "0.0.0.0")
        self.assertNotEqual(server.port, 0)
        self.assertRegex(server.log()[0],
                         rf'^{TIME} info +listening message="Responding at http://0\.0\.0\.0:{server.port}"$')
        self.assertEqual(get(server.port, "/healthz"), (200, "ok\n"))

    def test_ipv6(self):
        if not self.has_ipv6():
            self.skipTest("this system has no IPv6")
        server = self.start("--address=::1")
        self.assertEqual(server.address, "[::1]")
        with RawWebSocket(server.port, host="::1") as peer:
            self.assertEqual(peer.status, 101)
            server.wait_for_line(r"joined name=user0 room=lobby address=\[::1\]:\d+ ")

    def test_any_ipv6_address_is_ipv4_too(self):
        if not self.has_ipv6():
            self.skipTest("this system has no IPv6")
        server = self.start("--address=::")
        self.assertEqual(server.address, "[::]")
        for host in ("::1", "127.0.0.1"):
            self.assertEqual(get(server.port, "/healthz", host), (200, "ok\n"))

    def test_taken_port(self):
        server = self.start("--address=127.0.0.1")
        second = run_to_end("--address=127.0.0.1", f"--port={server.port}", FEW)
        self.assertEqual((second.returncode, second.stdout), (1, ""))
        self.assertEqual(second.stderr,
                         f"chorus-server: cannot listen on 127.0.0.1:{server.port}: Address already in use\n")

    def test_foreign_address(self):
        result = run_to_end("--address=192.0.2.1", "--port=0", FEW)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"\Achorus-server: cannot listen on 192\.0\.2\.1: [^\n]+\n\Z")

    def test_port_is_free_again_after_the_end(self):
        # Not one that the system may give to a client meanwhile.
        server = self.launch("--address=127.0.0.1", f"--port={free_port()}")
        server.wait_until_ready()
        with RawWebSocket(server.port) as peer:
            self.assertEqual(peer.status, 101)
            server.send_signal(signal.SIGTERM)
            peer.receive()
            peer.send_close(peer.receive_close())
        self.assertEqual(server.wait_for_exit(), 0)
        again = self.launch("--address=127.0.0.1", f"--port={server.port}")
        again.wait_until_ready()

    @staticmethod
    def has_ipv6():
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
            return True
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                return False
            raise


class Log(ServerTest):
    def test_text(self):
        server = self.start(FEW)
        with RawWebSocket(server.port) as peer:
            peer.receive()
        server.wait_for_line("closed name=user0")
        for line in server.log():
            self.assertRegex(line, rf"^{TIME} (trace|debug|info|warn|error) +\S")

    def test_json(self):
        server = self.start("--log-format=json", FEW)
        with RawWebSocket(server.port) as peer:
            peer.receive()
            peer.send_close(1000, 'quo"te\n')
            peer.receive_close()
        server.wait_for_line('"event":"closed","name":"user0"')
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait_for_exit(), 0)
        entries = [json.loads(line) for line in server.log()]
        self.assertGreaterEqual(len(entries), 4)
        for entry in entries:
            self.assertLessEqual({"time", "level", "event"}, set(entry))
            self.assertRegex(entry["time"], rf"^{TIME}$")
            self.assertEqual(entry["level"], "info")
        self.assertEqual(entries[0]["message"], f"Responding at http://0.0.0.0:{server.port}")
        self.assertEqual(entries[-1]["event"], "stopped")
        closed = next(entry for entry in entries if entry["event"] == "closed")
        self.assertEqual((closed["name"], closed["room"], closed["dialect"]), ("user0", "lobby", "text"))
        self.assertEqual((closed["ending"], closed["reason"]), ("closed_by_peer", 'closed by peer: 1000 quo"te\n'))
        self.assertIsInstance(closed["sent"], int)
        self.assertLessEqual(0, closed["duration"])
        self.assertLess(closed["duration"], 2 * DEADLINE)

    def test_level(self):
        port = free_port()
        quiet = self.launch("--log-level=error", f"--port={port}")
        wait_until_responding(port)
        with RawWebSocket(port) as peer:
            peer.receive()
        quiet.send_signal(signal.SIGTERM)
        self.assertEqual(quiet.wait_for_exit(), 0)
        self.assertEqual(quiet.log(), [])

        talkative = self.start("--log-level=debug")
        talkative.wait_for_line(r"debug +answered method=GET target=/healthz address=127\.0\.0\.1:\d+ status=200 "
                                r"duration=\d+\.\d{3}$")

    def test_who_joined_and_why_who_left(self):
        server = self.start()
        with RawWebSocket(server.port) as first, RawWebSocket(server.port) as second:
            server.wait_for_line(rf"info +joined name=user0 room=lobby address={first.address} users=1$")
            server.wait_for_line(rf"info +joined name=user1 room=lobby address={second.address} users=2$")
            first.receive()
            first.send_close(1000, "Good bye")
            server.wait_for_line(rf'info +closed name=user0 room=lobby address={first.address} .* '
                                 r'reason="closed by peer: 1000 Good bye"$')
            gone = second.address
        server.wait_for_line(rf'info +closed name=user1 room=lobby address={gone} .* reason="[^"]+"$')

    def test_close_without_a_code_is_told_from_a_code(self):
        server = self.start()
        with RawWebSocket(server.port) as peer:
            peer.receive()
            peer.send(CLOSE, b"")
            self.assertEqual(peer.receive()[0], CLOSE)
            reason = server.wait_for_line(r'closed name=user0 .* reason="([^"]*)"$').group(1)
        self.assertRegex(reason, r"^closed by peer")
        self.assertNotRegex(reason, r"\b0\b")

    def test_echo_has_no_members(self):
        server = self.start()
        with RawWebSocket(server.port, "/echo") as peer:
            self.assertEqual(peer.receive(), (TEXT, b"You are connected!"))
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait_for_exit(), 0)
        self.assertNotIn("name=", "\n".join(server.log()))
        server.wait_for_line(r"info +closed address=127\.0\.0\.1:\d+ dialect=echo ")

    def test_what_a_connection_did_is_in_its_last_line(self):
        server = self.start()
        with RawWebSocket(server.port) as peer:
            peer.receive()
            for text in (b"hello", b"you"):
                peer.send(TEXT, text)
                peer.receive()
            peer.send_close(1000)
            self.assertEqual(peer.receive_close(), 1000)
        found = server.wait_for_line(r"closed name=user0 room=lobby address=\S+ dialect=text duration=(\d+\.\d{3}) "
                                     r"messages=2 received=8 sent=(\d+) ending=closed_by_peer reason=")
        self.assertLess(float(found.group(1)), 2 * DEADLINE)
        frames = sum(2 + len(text) for text in ("You are connected! There are 1 users here.", "[user0]: hello",
                                                "[user0]: you", "xx"))
        # Before these came the answer to the upgrade.
        self.assertGreater(int(found.group(2)), frames + len("HTTP/1.1 101 Switching Protocols\r\n\r\n"))
        self.assertLess(int(found.group(2)), frames + 400)

    def test_who_is_refused(self):
        server = self.start()
        get(server.port, "/nowhere?room=a%0Ab&x=" + "y" * 300)
        server.wait_for_line(r'info +refused method=GET target="/nowhere\?room=a%0Ab&x=y+\.\.\." '
                             r"address=127\.0\.0\.1:\d+ status=404 duration=\d+\.\d{3}$")
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as rude:
            rude.sendall(b"\x16\x03\x01 what\r\n\r\n")
            rude.recv(1)
        server.wait_for_line(r"info +refused address=127\.0\.0\.1:\d+ status=400 ")

    def test_flood_is_cut(self):
        for limit, expected in (("3", 3), ("0", 40)):
            with self.subTest(limit=limit):
                server = self.start(f"--log-limit={limit}")
                for _ in range(40):
                    get(server.port, "/nowhere")
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait_for_exit(), 0)
                log = "\n".join(server.log())
                written = len(re.findall(r"info +refused ", log))
                left_out = sum(map(int, re.findall(r"warning suppressed of=refused count=(\d+)", log)))
                self.assertEqual(written + left_out, 40)
                self.assertGreaterEqual(written, expected)
                self.assertEqual(left_out == 0, limit == "0")

    def test_close_reason_cannot_forge_a_line(self):
        forgeries = ("bye\n2026-01-01T00:00:00.000Z info  stopped", "bye\r\nstopped", "\x1b[2K\x1b[1Gstopped",
                     "bye\x00\x7f", "bye\x85stopped", "bye\u2028stopped\u2029", "\u202edeppots",
                     'bye" name="root', "back\\slash\\n")
        for log_format in ("text", "json"):
            server = self.start("--address=127.0.0.1", f"--log-format={log_format}", FEW)
            for number, forgery in enumerate(forgeries):
                with self.subTest(log_format=log_format, forgery=forgery):
                    with RawWebSocket(server.port) as peer:
                        peer.receive()
                        peer.send_close(1000, forgery)
                        self.assertEqual(peer.receive_close(), 1000)
                    server.wait_for_line(rf"\bclosed\b.*\buser{number}\b")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait_for_exit(), 0)
            with self.subTest(log_format=log_format):
                self.check_log(server.log(), 3 + 2 * len(forgeries), log_format)

    def check_log(self, lines, expected_count, log_format):
        """As many lines as things happened, all printable, each of an event and its fields."""
        self.assertEqual(len(lines), expected_count, lines)
        for line in lines:
            self.assertTrue(line.isprintable(), repr(line))
            if log_format == "json":
                self.assertIn(json.loads(line)["event"], ("listening", "joined", "closed", "stopping", "stopped"))
            else:
                self.assertRegex(line, r'^\S+ +\S+ +[a-z_]+( [a-z_]+=([^\s"=\\]+|"([^"\\]|\\.)*"))*$')


class Stopping(ServerTest):
    """The first signal ends it in good order, the second at once; both are an orderly end, with exit code 0."""

    def test_signal_as_soon_as_it_responds(self):
        for _ in range(10):
            with subprocess.Popen([server_process.program, "--port=0", FEW], stdout=subprocess.PIPE,
                                  env=clean_environment()) as server:
                try:
                    self.assertTrue(select.select([server.stdout], [], [], DEADLINE)[0])
                    self.assertIn(b"Responding at", server.stdout.readline())
                    server.send_signal(signal.SIGTERM)
                    self.assertEqual(server.wait(DEADLINE), 0)
                finally:
                    server.kill()

    def test_peers_are_told_and_answer(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                server = self.start("--drain-timeout=1m", "--ping-timeout=1m")
                with RawWebSocket(server.port) as member, RawWebSocket(server.port, "/echo") as echo:
                    for peer in (member, echo):
                        self.assertEqual(peer.receive()[0], TEXT)
                    server.send_signal(number)
                    for peer in (member, echo):
                        self.assertEqual(peer.receive_close(), SERVICE_RESTART)
                        peer.send_close(SERVICE_RESTART)
                        self.assertIsNone(peer.receive())
                self.assertEqual(server.wait_for_exit(), 0)
                server.wait_for_line("stopping sessions=2$")
                server.wait_for_line('closed name=user0 .* reason="Server is stopping"$')
                self.assertRegex(server.log()[-1], "stopped$")

    def test_plain_connections_do_not_delay_it(self):
        server = self.start("--drain-timeout=1m", "--handshake-timeout=1m")
        at = ("127.0.0.1", server.port)
        with contextlib.ExitStack() as connections:
            silent, idle, unfinished = (connections.enter_context(socket.create_connection(at, DEADLINE))
                                        for _ in range(3))
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", idle.recv(1024))
            unfinished.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\n")
            get(server.port, "/healthz")  # the others were accepted before it
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait_for_exit(), 0)
            self.assertEqual(silent.recv(1), b"")

    def test_second_signal_ends_it_at_once(self):
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)):
            with self.subTest(first=first.name, second=second.name):
                server = self.start("--drain-timeout=1m", "--ping-timeout=0")
                with RawWebSocket(server.port) as mute:
                    mute.receive()
                    server.send_signal(first)
                    self.assertEqual(mute.receive_close(), SERVICE_RESTART)
                    server.send_signal(second)
                    self.assertEqual(server.wait_for_exit(), 0)
                    self.assertIsNone(mute.receive())

    def test_drain_timeout_bounds_it(self):
        server = self.start("--drain-timeout=1s", "--ping-timeout=0")
        with RawWebSocket(server.port) as mute:
            mute.receive()
            begun = time.monotonic()
            server.send_signal(signal.SIGTERM)
            self.assertEqual(mute.receive_close(), SERVICE_RESTART)
            self.assertEqual(server.wait_for_exit(), 0)
            taken = time.monotonic() - begun
            self.assertIsNone(mute.receive())
        self.assertGreaterEqual(taken, 1)
        self.assertLess(taken, DEADLINE)

    def test_drain_timeout_of_0_is_at_once(self):
        server = self.start("--drain-timeout=0", "--ping-timeout=0")
        with RawWebSocket(server.port) as mute:
            mute.receive()
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait_for_exit(), 0)


    def test_drain_delay_comes_before_the_drain(self):
        server = self.start("--drain-delay=3s", "--drain-timeout=1m", "--ping-timeout=1m")
        with RawWebSocket(server.port) as member:
            member.receive()
            begun = time.monotonic()
            server.send_signal(signal.SIGTERM)
            while get(server.port, "/readyz")[0] != 503:
                self.assertLess(time.monotonic() - begun, 2.9)
            self.assertEqual(get(server.port, "/healthz")[0], 200)
            with RawWebSocket(server.port) as late:
                self.assertEqual(late.receive(), (TEXT, b"You are connected! There are 2 users here."))
                for peer in (member, late):
                    self.assertEqual(peer.receive_close(), SERVICE_RESTART)
                    peer.send_close(SERVICE_RESTART)
            self.assertGreaterEqual(time.monotonic() - begun, 3)
            self.assertEqual(server.wait_for_exit(), 0)

    def test_second_signal_ends_the_drain_delay(self):
        server = self.start("--drain-delay=1h")
        server.send_signal(signal.SIGTERM)
        while get(server.port, "/readyz")[0] != 503:
            pass
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait_for_exit(), 0)


class OutOfMemory(unittest.TestCase):
    """What the server cannot go on without fails: it says so, tells everyone, and exits with 1."""

    def test_broadcaster(self):
        if failing_memory is None or server_contains(b"__asan_init") or server_contains(b"__tsan_init"):
            self.skipTest("a sanitizer has its own memory")
        port = free_port()
        size = 12345
        packet = 4 + len("[user0]: ") + size + 1
        environment = clean_environment(LD_PRELOAD=failing_memory, FAILING_ALLOCATION=str(packet))
        with subprocess.Popen([server_process.program, "--address=127.0.0.1", f"--port={port}"], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
            try:
                wait_until_responding(port)
                with RawWebSocket(port) as peer:
                    peer.receive()
                    peer.send_large(size)
                    self.assertEqual(peer.receive_close(), SERVICE_RESTART)
                    peer.send_close(SERVICE_RESTART)
                log, errors = server.communicate(timeout=DEADLINE)
            finally:
                server.kill()
        self.assertEqual(server.returncode, 1)
        self.assertEqual(errors, "chorus-server: the broadcaster failed: std::bad_alloc\n")
        self.assertRegex(log, r"critical server_failed part=broadcaster reason=std::bad_alloc\n")


class Siege(ServerTest):
    """Clients that only speak HTTP cannot keep others out, even with all descriptors that there are."""

    DESCRIPTORS = 100

    def besiege(self, at, until):
        """Half of the besiegers ask once a second, half never; who is thrown out comes back at once."""
        besiegers = []
        try:
            while time.monotonic() < until():
                while len(besiegers) < self.DESCRIPTORS:
                    besiegers.append(socket.create_connection(at, DEADLINE))
                for number, besieger in enumerate(besiegers):
                    with contextlib.suppress(OSError):
                        if number % 2 == 0:
                            besieger.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                ready = select.select(besiegers, [], [], 0)[0]
                for besieger in ready:
                    with contextlib.suppress(OSError):
                        if besieger.recv(65536):
                            continue
                    besieger.close()
                    besiegers.remove(besieger)
                time.sleep(0.05 if ready else 1)
        finally:
            for besieger in besiegers:
                besieger.close()

    def test_a_websocket_gets_in(self):
        if server_contains(b"__ubsan_handle"):
            self.skipTest("UndefinedBehaviorSanitizer needs descriptors of its own")
        server = self.launch("--address=127.0.0.1", "--port=0", descriptors=self.DESCRIPTORS)
        server.wait_until_ready()
        port = server.port
        end = [time.monotonic() + 4 * DEADLINE]
        siege = threading.Thread(target=self.besiege, args=(("127.0.0.1", port), lambda: end[0]))
        siege.start()
        try:
            server.wait_for_line('cannot_accept reason="Too many open files"')
            for _ in range(5):
                begun = time.monotonic()
                with RawWebSocket(port) as peer:
                    self.assertEqual(peer.receive()[0], TEXT)
                    peer.send(TEXT, b"hello")
                    self.assertEqual(peer.receive()[1][-5:], b"hello")
                self.assertLess(time.monotonic() - begun, DEADLINE)
        finally:
            end[0] = 0
            siege.join()


class Threads(ServerTest):
    def test_more_than_the_system_has_descriptors_for_is_an_error_that_says_so(self):
        if server_contains(b"__ubsan_handle"):
            self.skipTest("UndefinedBehaviorSanitizer needs descriptors of its own")
        result = subprocess.run(["prlimit", "--nofile=64", server_process.program, "--threads=500", "--port=0"],
                                env=clean_environment(), capture_output=True, text=True, timeout=DEADLINE, check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, "^chorus-server: .*Too many open files")

    def test_are_as_many_as_it_may_use_and_have_names(self):
        server = self.start("--threads=3")
        names = {task.joinpath("comm").read_text().strip() for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir()}
        self.assertLessEqual({"shard-1", "shard-2"}, names)
        self.assertNotIn("shard-3", names)


class SlowTurns(ServerTest):
    def test_are_named(self):
        server = self.start("--slow-turn=1ms", "--max-message-size=64MiB", "--outbound-limit=128MiB")
        with RawWebSocket(server.port, "/echo") as peer:
            peer.receive()
            peer.send_large(32 << 20)
            server.wait_for_line(r"warning slow_turn duration=\d+\.\d{3}$")


class WithoutALog(unittest.TestCase):
    """Where the log cannot be written the server serves all the same."""

    def check(self, stdout=None, launcher=(), before_stop=lambda: None):
        port = free_port()
        with subprocess.Popen([*launcher, server_process.program, "--address=127.0.0.1", f"--port={port}"],
                              stdout=stdout, stderr=subprocess.DEVNULL, env=clean_environment()) as server:
            try:
                wait_until_responding(port)
                with RawWebSocket(port) as peer:
                    self.assertEqual(peer.receive(), (TEXT, b"You are connected! There are 1 users here."))
                    for number in range(100):
                        peer.send(TEXT, b"%d" % number)
                        self.assertEqual(peer.receive(), (TEXT, b"[user0]: %d" % number))
                for _ in range(10):
                    with RawWebSocket(port) as peer:
                        self.assertEqual(peer.receive()[0], TEXT)
                before_stop()
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(DEADLINE), 0)
            finally:
                server.kill()

    def test_broken_pipe(self):
        reading_end, writing_end = os.pipe()
        os.close(reading_end)
        try:
            self.check(writing_end)
        finally:
            os.close(writing_end)

    def test_closed_output(self):
        self.check(launcher=["sh", "-c", 'exec "$0" "$@" >&-'])

    def test_unread_pipe(self):
        """Lines are dropped while nobody reads, and counted when somebody does."""
        reading_end, writing_end = os.pipe()
        with open(reading_end, "rb", buffering=0) as reader, open(writing_end, "wb", buffering=0) as log:
            fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
            log.write(bytes(4096))
            self.check(log, before_stop=lambda: self.assertEqual(reader.read(8192), bytes(4096)))
            self.assertRegex(reader.read(8192).decode(), r"warning lost count=\d+\n")

    def test_full_disk(self):
        if not pathlib.Path("/dev/full").exists():
            self.skipTest("this system has no /dev/full")
        with open("/dev/full", "wb", buffering=0) as full:
            self.check(full)


if __name__ == "__main__":
    failing_memory = sys.argv.pop(2) if len(sys.argv) > 2 and sys.argv[2].endswith(".so") else None
    server_process.main()
