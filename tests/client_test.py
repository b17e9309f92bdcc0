"""chorus-client as its user sees it: on a terminal, and in a pipe.

Usage: python3 client_test.py PATH_TO_CHORUS_SERVER PATH_TO_CHORUS_CLIENT
"""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import server_process
from server_process import DEADLINE, ServerTest, clean_environment, free_port

client = None  # the path of chorus-client

CLEAN, CANNOT_CONNECT, BAD_USAGE, CLOSED_BY_SERVER, PROTOCOL_ERROR = range(5)


def chat(server):
    return f"ws://127.0.0.1:{server.port}/chat"


def pipe(*arguments, text=""):
    """Runs the client in a pipe until it exits. `text` is its input."""
    return subprocess.run([client, *arguments], input=text.encode(), capture_output=True, timeout=DEADLINE, check=False)


def foreign_server(test, frames=b"", response=None, leaves=False):
    """The URL of a server for one connection: it answers the upgrade, sends `frames`, and leaves or answers a close."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening.accept()[0] as peer:
            head = peer.recv(4096).decode()
            key = re.search("(?i)sec-websocket-key: *(.*)\r\n", head).group(1)
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            upgraded = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            peer.sendall((response or upgraded) + frames)
            with peer.makefile("rb") as received:
                while not leaves and (header := received.read(2)):
                    received.read(4 + (header[1] & 0x7F))  # mask and payload of a short frame
                    if header[0] == 0x88:
                        peer.sendall(b"\x88\x02\x03\xe8")
                        return

    server = threading.Thread(target=serve)
    server.start()
    test.addCleanup(listening.close)
    test.addCleanup(server.join)
    return f"ws://127.0.0.1:{listening.getsockname()[1]}/"


class Relay:
    """A way to a server that loses what it is told to lose, and that can be cut: on the client's side, so that the server
    takes the connection for alive, until `release`."""

    def __init__(self, test, port):
        self._server_port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._connections = []  # each with two ends: the client's, and the server's
        self._threads = []
        self._changed = threading.Condition()
        self._cut = None
        self._loses = None  # "up" or "down"
        self._lost = 0
        self._start(self._accept)
        test.addCleanup(self._end)

    def _start(self, task, *arguments):
        self._threads.append(threading.Thread(target=task, args=arguments))
        self._threads[-1].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client_end = self._listening.accept()[0]
                server_end = socket.create_connection(("127.0.0.1", self._server_port))
                with self._changed:
                    self._connections.append((client_end, server_end))
                self._start(self._pass_on, "up", client_end, server_end)
                self._start(self._pass_on, "down", server_end, client_end)

    def _pass_on(self, direction, source, to):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with self._changed:
                    loses = self._loses == direction
                    self._lost += len(data) if loses else 0
                    self._changed.notify_all()
                if not loses:
                    to.sendall(data)
            if direction == "down":
                to.shutdown(socket.SHUT_RDWR)

    def lose(self, direction):
        """From now on nothing that goes this way arrives."""
        with self._changed:
            self._loses, self._lost = direction, 0

    def wait_until_lost(self):
        with self._changed:
            if not self._changed.wait_for(lambda: self._lost > 0, DEADLINE):
                raise AssertionError("nothing was lost")

    def cut(self):
        """The next connection loses nothing."""
        with self._changed:
            self._loses, self._cut = None, self._connections[-1]
            self._cut[0].shutdown(socket.SHUT_RDWR)

    def release(self):
        """The server hears of the cut."""
        self._cut[1].shutdown(socket.SHUT_RDWR)

    def _end(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(DEADLINE)
        for end in itertools.chain(*self._connections):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE)
        for end in itertools.chain([self._listening], *self._connections):
            end.close()


class Terminal(contextlib.AbstractContextManager):
    """The client on a pseudo-terminal of its own."""

    def __init__(self, *arguments, **environment):
        self._own_end, its_end = pty.openpty()
        variables = clean_environment(TERM="xterm", **environment)
        self._process = subprocess.Popen([client, *arguments], stdin=its_end, stdout=its_end, stderr=its_end,
                                         env=variables, start_new_session=True)
        os.close(its_end)
        self.screen = ""  # all that was ever written to it

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._own_end)

    def type(self, keys):
        os.write(self._own_end, keys.encode())

    def _read(self, patience):
        """Reads what comes within the time; false if nothing does."""
        if not select.select([self._own_end], [], [], patience)[0]:
            return False
        try:
            read = os.read(self._own_end, 65536)
        except OSError:  # the other end is closed
            return False
        self.screen += read.decode(errors="replace")
        return bool(read)

    def wait_for(self, pattern, patience=DEADLINE):
        """Waits until the regular expression is on the screen, behind what was found before."""
        deadline = time.monotonic() + patience
        begin = getattr(self, "_found_to", 0)
        while not (found := re.search(pattern, self.screen[begin:])):
            if not self._read(max(0.0, deadline - time.monotonic())):
                raise AssertionError(f"/{pattern}/ never appeared, but: {self.screen[begin:]!r}")
        self._found_to = begin + found.end()

    def signal(self, number):
        self._process.send_signal(number)

    def lines(self, pattern):
        """How many lines of the screen contain the regular expression."""
        return len(re.findall(rf"(?m)^.*{pattern}.*$", self.screen))

    def wait_for_exit(self):
        deadline = time.monotonic() + DEADLINE
        while self._process.poll() is None and time.monotonic() < deadline:
            self._read(0.01)
        while self._read(0):
            pass
        return self._process.wait(DEADLINE)


def has_terminals():
    """False in a root that has no /dev/pts."""
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError:
        return False
    return True


@unittest.skipUnless(has_terminals(), "this system has no pseudo-terminals")
class OnATerminal(ServerTest):
    def setUp(self):
        self.server = self.start()
        self.url = chat(self.server)

    def connect(self, *arguments, **environment):
        terminal = Terminal(*arguments, self.url, **environment)
        self.addCleanup(terminal.__exit__)
        terminal.wait_for(r"You are connected to lobby as \S+, \d+ users? here\r\n")
        return terminal

    def test_conversation(self):
        alice = self.connect("--name=alice")
        bob = self.connect()
        alice.wait_for("-- user0 joined, 2 users here")
        alice.type("hello\r")
        alice.wait_for(r"\[alice\]\S*: hello\r\n")
        bob.wait_for(r"\[alice\]: hello\r\n")
        bob.type("/nick bob\r")
        alice.wait_for("-- user0 is bob now")
        bob.type("/users\r")
        bob.wait_for("-- 2 users here: alice, bob")
        bob.type("/nick chorus\r//users\r")
        bob.wait_for("-- A name has 1 to 32 characters")
        alice.wait_for(r"\[bob\]: /users\r\n")
        bob.type("/quit\r")
        alice.wait_for("-- bob left, 1 user here")
        self.assertEqual(bob.wait_for_exit(), CLEAN)

    def test_without_the_subprotocol_there_is_text(self):
        self.connect()
        bob = Terminal("--subprotocol=unheard.of", self.url)
        self.addCleanup(bob.__exit__)
        bob.wait_for(r"You are connected! There are 2 users here\.\r\n")
        bob.type("hi\r")
        bob.wait_for(r"\[user1\]\S*: hi\r\n")
        bob.type("/users\r")
        bob.wait_for("-- this server knows no /users")

    def test_messages_appear_above_the_line_that_is_being_typed(self):
        terminal = self.connect()
        terminal.type("half a li")
        terminal.wait_for("half a li")
        pipe(self.url, text="from elsewhere\n")
        terminal.wait_for(r"\[user1\]: from elsewhere\r\n> half a li")
        terminal.type("ne\r")
        terminal.wait_for(r"\[user0\]\S*: half a line\r\n")

    def test_history_is_on_the_arrow_keys(self):
        terminal = self.connect()
        for text in ("first", "second"):
            terminal.type(text + "\r")
            terminal.wait_for(rf"\]\S*: {text}\r\n")
        terminal.type("\x1b[A\x1b[A\r")
        terminal.wait_for(r"\]\S*: first\r\n")

    def test_exit_in_any_case_says_goodbye(self):
        for word in ("exit", "EXIT", "Exit"):
            terminal = self.connect()
            terminal.type(word + "\r")
            terminal.wait_for(r"Connection closed\. Goodbye!\r\n")
            self.assertEqual(terminal.wait_for_exit(), CLEAN)
        self.server.wait_for_line('reason="closed by peer: 1000"')

    def test_end_of_input_says_goodbye(self):
        terminal = self.connect()
        terminal.type("\x04")
        terminal.wait_for(r"Connection closed\. Goodbye!\r\n")
        self.assertEqual(terminal.wait_for_exit(), CLEAN)

    def test_interrupt_says_goodbye(self):
        terminal = self.connect()
        terminal.signal(signal.SIGINT)
        terminal.wait_for(r"Connection closed\. Goodbye!\r\n")
        self.assertEqual(terminal.wait_for_exit(), CLEAN)

    def test_own_name_is_coloured(self):
        terminal = self.connect()
        terminal.type("hi\r")
        terminal.wait_for(r"\x1b\[[0-9;]+m\[user0\](\x1b\[[0-9;]+m)+: hi\r\n")

    def test_no_color_is_honoured(self):
        terminal = self.connect(NO_COLOR="1")
        terminal.type("hi\r")
        terminal.wait_for(r"\[user0\]: hi\r\n")
        self.assertNotRegex(terminal.screen, r"\x1b\[[0-9;]*m")

    def test_escape_sequences_of_others_are_shown_not_obeyed(self):
        terminal = self.connect()
        pipe(self.url, text="\x1b[2J\x1b]0;title\x07\x9bK\u202e\r[user0]: forged\n")
        terminal.wait_for(r"\[user1\]: ␛\[2J␛\]0;title␇")
        terminal.wait_for(r"␍\[user0\]: forged\r\n")
        self.assertNotIn("\x1b[2J", terminal.screen)
        self.assertNotIn("\x1b]0;", terminal.screen)
        self.assertNotIn("\u202e", terminal.screen)

    def test_server_that_goes_away_is_noticed_without_a_key(self):
        terminal = self.connect()
        terminal.type("half a line")
        self.server.send_signal(signal.SIGTERM)
        terminal.wait_for(r"chorus-client: the server closed the connection: 1012 Server is stopping\r\n")
        self.assertEqual(terminal.wait_for_exit(), CLOSED_BY_SERVER)

    def test_reconnect(self):
        port = free_port()
        first = self.launch("--address=127.0.0.1", f"--port={port}")
        first.wait_until_ready()
        self.url = chat(first)
        terminal = self.connect("--reconnect")
        first.send_signal(signal.SIGTERM)
        terminal.wait_for(r"1012 Server is stopping; trying again in \d+\.\d s\r\n")
        first.wait_for_exit()
        terminal.type("into the void\r")
        terminal.wait_for("not connected; to be sent later: into the void")
        self.launch("--address=127.0.0.1", f"--port={port}").wait_until_ready()
        # It may have tried often before that, and then it waits up to half a minute.
        terminal.wait_for("again connected to lobby as user0, 1 user here; the room has begun anew", 2 * DEADLINE)
        terminal.wait_for(r"\[user0\]\S*: into the void\r\n")
        terminal.type("back\r")
        terminal.wait_for(r"\[user0\]\S*: back\r\n")
        terminal.type("exit\r")
        self.assertEqual(terminal.wait_for_exit(), CLEAN)

    def relay(self):
        """Alice is connected, and there is a relay for the next one."""
        relay = Relay(self, self.server.port)
        alice = self.connect("--name=alice")
        self.url = f"ws://127.0.0.1:{relay.port}/chat"
        return relay, alice

    def test_a_lost_connection_loses_and_repeats_nothing(self):
        relay, alice = self.relay()
        bob = self.connect("--name=bob", "--reconnect")
        relay.lose("down")
        bob.type("arrives\r")
        alice.wait_for(r"\[bob\]: arrives\r\n")
        alice.type("meanwhile\r")
        alice.wait_for(r"\]\S*: meanwhile\r\n")
        relay.cut()
        relay.release()
        bob.wait_for("again connected to lobby as bob")
        bob.wait_for(r"\[bob\]\S*: arrives\r\n")
        bob.wait_for(r"\[alice\]: meanwhile\r\n")
        relay.lose("up")
        bob.type("lost\r")
        relay.wait_until_lost()
        relay.cut()
        relay.release()
        bob.wait_for(r"\[bob\]\S*: lost\r\n")
        bob.type("the end\r")
        bob.wait_for(r"\[bob\]\S*: the end\r\n")
        alice.wait_for(r"\[bob\]: the end\r\n")
        for text in ("arrives", "lost", "the end"):
            self.assertEqual([who.lines(r"\[bob\]\S*: " + text) for who in (alice, bob)], [1, 1], text)
        self.assertEqual(bob.lines(r"\[alice\]: meanwhile"), 1)

    def test_old_connection_that_still_is_a_member_is_waited_for(self):
        relay, alice = self.relay()
        bob = self.connect("--name=bob", "--reconnect")
        # Then nothing else of his is on its way that could be what is lost.
        bob.type("first\r")
        bob.wait_for(r"\[bob\]\S*: first\r\n")
        relay.lose("up")
        bob.type("once\r")
        relay.wait_until_lost()
        relay.cut()
        bob.wait_for("again connected to lobby as bob-2, 3 users here")
        bob.wait_for("-- 1 line without an echo: waiting for the old connection to leave")
        bob.type("twice\r")
        bob.wait_for("-- to be sent later: twice")
        relay.release()
        bob.wait_for("-- bob left, 2 users here")
        bob.wait_for("-- bob-2 is bob now")
        alice.wait_for(r"\[bob\]: once\r\n")
        alice.wait_for(r"\[bob\]: twice\r\n")
        self.assertEqual(alice.lines(": once"), 1)

    def test_what_was_not_sent_is_told(self):
        relay, _ = self.relay()
        bob = self.connect("--reconnect")
        self.server.send_signal(signal.SIGTERM)
        bob.wait_for("trying again")
        bob.type("too late\r")
        bob.wait_for("to be sent later: too late")
        bob.type("\x04")
        bob.wait_for("chorus-client: not sent: too late\r\n")
        self.assertEqual(bob.wait_for_exit(), CLEAN)

    def test_terminal_is_restored(self):
        terminal = self.connect()
        before = subprocess.run(["stty", "-a"], stdin=terminal._own_end, capture_output=True, text=True, check=True)
        self.assertIn("-icanon", before.stdout)
        terminal.type("exit\r")
        self.assertEqual(terminal.wait_for_exit(), CLEAN)
        after = subprocess.run(["stty", "-a"], stdin=terminal._own_end, capture_output=True, text=True, check=True)
        self.assertNotIn("-icanon", after.stdout)


class InAPipe(ServerTest):
    def test_nothing_is_lost(self):
        result = pipe("--linger=1m", chat(self.start()), text="".join(f"{number}\n" for number in range(1000)))
        expected = ["You are connected! There are 1 users here."] + [f"[user0]: {number}" for number in range(1000)]
        self.assertEqual(result.stdout.decode().splitlines(), expected)
        self.assertEqual((result.returncode, result.stderr), (CLEAN, b""))

    def test_last_line_needs_no_line_feed(self):
        result = pipe("--linger=1m", chat(self.start()), text="one\n\ntwo")
        self.assertEqual(result.stdout.decode().splitlines()[1:], ["[user0]: one", "[user0]: ", "[user0]: two"])

    def test_input_from_a_file(self):
        server = self.start()
        with open(__file__, "rb") as file:
            result = subprocess.run([client, "--linger=1m", chat(server)], stdin=file, capture_output=True,
                                    timeout=DEADLINE, check=False)
        self.assertEqual(result.returncode, CLEAN)
        self.assertIn(b'[user0]: """chorus-client as its user sees it', result.stdout)

    def test_no_input_at_all(self):
        result = pipe(chat(self.start()))
        self.assertEqual(result.returncode, CLEAN)

    def test_messages_come_out_at_once(self):
        server = self.start()
        with subprocess.Popen([client, chat(server)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
            self.assertEqual(running.stdout.readline(), b"You are connected! There are 1 users here.\n")
            running.stdin.write(b"hi\n")
            running.stdin.flush()
            self.assertEqual(running.stdout.readline(), b"[user0]: hi\n")
            running.stdin.close()
            self.assertEqual(running.wait(DEADLINE), CLEAN)

    def test_a_message_is_one_line_whatever_is_in_it(self):
        server = self.start()
        with subprocess.Popen([client, chat(server)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as listener:
            listener.stdout.readline()
            pipe(chat(server), text="one\rtwo\x1b[2J\n")
            self.assertEqual(listener.stdout.readline().decode(), "[user1]: one␍two␛[2J\n")
            listener.stdin.close()

    def test_json(self):
        """Commands in, events out."""
        commands = ('{"type":"say","text":"h\u009bi","id":"1"}', "oops", '{"type":"users"}', '{"type":"rename","name":"robot"}',
                    '{"type":"replay","from":2,"to":2}')
        result = pipe("--json", "--name=bot", "--linger=1m", chat(self.start()), text="\n".join(commands))
        self.assertEqual((result.returncode, result.stderr), (CLEAN, b""))
        self.assertIn(b'"text":"h\\u009bi"', result.stdout)
        events = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([event["type"] for event in events][:2], ["welcome", "joined"])
        self.assertEqual(sorted(event["type"] for event in events[2:]),
                         ["error", "message", "message", "renamed", "replayed", "users"])
        self.assertIn(("message", "bot", "h\u009bi", "1"),
                      [(event["type"], *map(event.get, ("from", "text", "id"))) for event in events])

    def test_linger_bounds_the_wait_for_what_does_not_come_back(self):
        begun = time.monotonic()
        result = pipe("--linger=200ms", foreign_server(self), text="hello?\n")
        self.assertEqual((result.returncode, result.stderr), (CLEAN, b""))
        self.assertGreaterEqual(time.monotonic() - begun, 0.2)


class ExitCodes(ServerTest):
    def check(self, expected, *arguments, says, text=""):
        result = pipe(*arguments, text=text)
        self.assertEqual(result.returncode, expected, result.stderr)
        complaint = result.stderr.decode()
        self.assertRegex(complaint, r"\Achorus-client: [^\n]+\n\Z")
        self.assertIn(says, complaint)

    def test_cannot_connect(self):
        self.check(CANNOT_CONNECT, f"ws://127.0.0.1:{free_port()}/chat", says="Connection refused")
        self.check(CANNOT_CONNECT, chat(self.start()) + "s", says="404 Not Found")
        self.check(CANNOT_CONNECT, "ws://no.such.host.invalid/", says="cannot connect to ws://no.such.host.invalid/")

    def test_wrong_usage(self):
        self.check(BAD_USAGE, "--nope", says="--nope")
        self.check(BAD_USAGE, "http://localhost", says="expected a URL such as ws://")

    def test_closed_by_server(self):
        self.check(CLOSED_BY_SERVER, chat(self.start()), text="x" * 70000 + "\n", says="1009")

    def test_lost_connection(self):
        half_a_frame = b"\x81\x05he"
        self.check(CLOSED_BY_SERVER, foreign_server(self, half_a_frame, leaves=True), says="the connection is lost",
                   text="hi\n")

    def test_json_needs_the_subprotocol(self):
        self.check(CANNOT_CONNECT, "--json", foreign_server(self), says="the server does not speak chorus.v1")

    def test_protocol_error(self):
        reserved_bits = b"\xf3\x00"
        self.check(PROTOCOL_ERROR, foreign_server(self, reserved_bits), says="does not speak WebSocket properly",
                   text="hi\n")

    def test_no_websocket_at_all(self):
        self.check(CANNOT_CONNECT, foreign_server(self, response=b"220 this is a mail server\r\n", leaves=True),
                   says="cannot connect")

    def test_help_and_version(self):
        result = pipe("--help")
        self.assertEqual((result.returncode, result.stderr), (CLEAN, b""))
        for text in (b"Usage: chorus-client", b"--linger", b"--script", b"Exit codes:"):
            self.assertIn(text, result.stdout)
        self.assertRegex(pipe("--version").stdout, rb"^chorus-client \d+\.\d+\.\d+\n$")

    def test_header_and_subprotocol_are_sent(self):
        server = self.start()
        self.check(CANNOT_CONNECT, "--header=Origin: https://evil.example", chat(server), says="403 Forbidden")
        self.assertEqual(pipe("--header=Origin: http://127.0.0.1:%d" % server.port, chat(server)).returncode, CLEAN)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    client = os.path.abspath(sys.argv.pop(2))
    server_process.main()
