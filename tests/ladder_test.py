"""The programs of docs/ladder: what all of them do right, and what each of them, but the last, cannot do.

Usage: python3 ladder_test.py 1_ECHO 2_IN_TURN 3_QUEUE_EACH 4_BATCHES (the paths of these programs)
"""

import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import unittest

from server_process import DEADLINE

KiB, MiB = 1024, 1024 * 1024
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

FLOOD = 48 * MiB  # far more than the kernel keeps for a connection
LARGE = 16 * KiB
LITTLE = FLOOD // 3  # of memory; under AddressSanitizer a program takes more than 10 MiB for its first messages
STALLED_FOR = 5.0  # seconds without an answer after which nobody would call it a chat

programs = []  # their paths, in order; main sets them


class Peer:
    """A WebSocket that does nothing by itself: it reads, answers and leaves when the test does."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._received = bytearray()
        self._socket.sendall(b"GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                             b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        while b"\r\n\r\n" not in self._received:
            self._receive_more()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def _receive_more(self):
        more = self._socket.recv(MiB)
        if not more:
            raise EOFError
        self._received += more

    def _take(self, size):
        while len(self._received) < size:
            self._receive_more()
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def send(self, opcode, payload):
        """One frame, masked with zeros."""
        size = len(payload)
        length = struct.pack("!B", 0x80 | size) if size < 126 else (
            struct.pack("!BH", 0x80 | 126, size) if size < 1 << 16 else struct.pack("!BQ", 0x80 | 127, size))
        self.send_raw(bytes([0x80 | opcode]) + length + bytes(4) + payload)

    def send_raw(self, data):
        self._socket.sendall(data)

    def say(self, text):
        self.send(TEXT, text.encode())

    def _receive_frame(self):
        first, size = self._take(2)
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        return first & 0x80, first & 0xF, self._take(size)

    def receive(self):
        """The next message or control frame, as (opcode, payload). Raises EOFError at the end of the stream."""
        final, opcode, payload = self._receive_frame()
        while not final:  # Beast makes several frames of a large message
            final, _, more = self._receive_frame()
            payload += more
        return opcode, payload

    def hear(self):
        """The next message, which must be a text."""
        opcode, payload = self.receive()
        assert opcode == TEXT, (opcode, payload[:80])
        return payload.decode()

    def has_more(self):
        """True if another message came with what was received last."""
        return bool(self._received)

    def hears_something(self, seconds):
        return bool(self._received or select.select([self._socket], [], [], seconds)[0])

    def read_to_the_end(self):
        """What comes up to the end of the stream; a connection that is reset has ended, too. Then it hangs up."""
        frames = []
        try:
            while True:
                frames.append(self.receive())
        except (EOFError, ConnectionResetError):
            self.leave()
            return frames

    def leave(self):
        """Hangs up without a goodbye: with a reset."""
        self._socket.close()


class Rung:
    """What every rung must do. `index` is its place among the programs."""

    index = None

    def setUp(self):
        # AddressSanitizer would keep what is freed, and here memory is measured.
        environment = os.environ | {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
        self.process = subprocess.Popen([programs[self.index], "0"], stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        self.addCleanup(self.end)
        self.port = int(re.fullmatch(r"listening on port (\d+)\n", self.process.stdout.readline()).group(1))

    def end(self):
        """Nothing that its peers did has ended it, or made it complain."""
        self.process.terminate()
        _, errors = self.process.communicate(timeout=DEADLINE)
        self.assertEqual((self.process.returncode, errors), (-signal.SIGTERM, ""))

    def connect(self):
        """A peer that has not read its greeting."""
        peer = Peer(self.port)
        self.addCleanup(peer.leave)
        return peer

    def enter(self):
        """A peer that has been greeted."""
        peer = self.connect()
        self.assertRegex(peer.hear(), "^You are connected!")
        return peer

    def assert_serves(self):
        """Somebody who comes now is served."""
        peer = self.enter()
        peer.say("still there?")
        self.assertRegex(peer.hear(), "^(You said|\\[user[0-9]+\\]): still there\\?$")

    def test_answers_pings_and_goodbyes(self):
        peer = self.enter()
        peer.send(PING, b"are you there?")
        self.assertEqual(peer.receive(), (PONG, b"are you there?"))
        peer.send(CLOSE, struct.pack("!H", 1000) + b"bye")
        self.assertEqual(peer.read_to_the_end(), [(CLOSE, struct.pack("!H", 1000))])

    def test_says_goodbye_to_those_who_leave_while_they_talk(self):
        self.enter()
        for _ in range(30):
            peer = self.enter()
            for number in range(5):
                peer.say(f"line {number}")
            peer.send(CLOSE, struct.pack("!H", 1000))
            self.assertEqual(peer.read_to_the_end()[-1], (CLOSE, struct.pack("!H", 1000)))
        self.assert_serves()

    def test_ignores_what_is_no_text(self):
        peer = self.enter()
        peer.send(BINARY, b"\xff\x00")
        peer.say("")
        self.assertRegex(peer.hear(), "^(You said|\\[user0\\]): $")

    def test_garbage_ends_one_connection(self):
        witness = self.enter()
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as stranger:
            stranger.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            while stranger.recv(KiB):
                pass
        for garbage in (b"\x81\x02hi", b"\xff" * 20, b"\x81\x82\0\0\0\0\xc3\x28"):  # not masked, reserved, not UTF-8
            peer = self.enter()
            peer.send_raw(garbage)
            peer.read_to_the_end()
        witness.say("still here")
        self.assertIn(": still here", witness.hear())
        self.assert_serves()

    def test_who_vanishes_takes_nobody_along(self):
        witness = self.enter()
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as stranger:
                stranger.sendall(b"GET /chat HTTP/1.1\r\n")
            self.connect().leave()
            peer = self.enter()
            peer.say("x" * LARGE)
            peer.leave()
        # In a chat it has heard some of the others before.
        witness.say("still here")
        while not witness.hear().endswith(": still here"):
            pass
        self.assert_serves()

    def test_says_what_is_wrong(self):
        for arguments in ([], ["x"], ["80x"], ["65536"], ["-1"], ["1", "2"]):
            done = subprocess.run([programs[self.index], *arguments], capture_output=True, text=True, timeout=DEADLINE,
                                  check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertEqual(done.stderr, f"Usage: {pathlib.Path(programs[self.index]).name} PORT\n")
        done = subprocess.run([programs[self.index], str(self.port)], capture_output=True, text=True, timeout=DEADLINE,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("Address already in use", done.stderr)


class Chat(Rung):
    """What every rung from the second on must do."""

    def test_all_hear_what_one_says(self):
        people = [self.connect() for _ in range(3)]
        for users, peer in enumerate(people, 1):
            self.assertEqual(peer.hear(), f"You are connected! There are {users} users here.")
        for number, peer in enumerate(people):
            peer.say("hello")
            for listener in people:
                self.assertEqual(listener.hear(), f"[user{number}]: hello")

    def test_all_hear_the_same_order(self):
        people = [self.enter() for _ in range(4)]
        for number in range(50):
            for peer in people:
                peer.say(str(number))
        heard = [[peer.hear() for _ in range(200)] for peer in people]
        for each in heard:
            self.assertEqual(each, heard[0])
        for user in range(4):
            own = [line for line in heard[0] if line.startswith(f"[user{user}]")]
            self.assertEqual(own, [f"[user{user}]: {number}" for number in range(50)])

    def test_names_are_not_used_again(self):
        first, second = self.enter(), self.enter()
        second.leave()
        third = self.enter()
        third.say("new here")
        self.assertEqual(first.hear(), "[user2]: new here")

    def test_every_length_of_a_frame_header(self):
        peer = self.enter()
        for size in (125, 126, 127, 0xFFFF, 0x10000):
            text = "x" * (size - len("[user0]: "))
            peer.say(text)
            self.assertTrue(peer.hear() == "[user0]: " + text, size)

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * KiB

    def flood(self):
        """Somebody talks as fast as it hears itself, while another one does not read. Returns both, and whether the
        talk went on to its end."""
        stalled, speaker = self.enter(), self.enter()
        for _ in range(FLOOD // LARGE):
            speaker.say("x" * LARGE)
            if not speaker.hears_something(STALLED_FOR):
                return stalled, speaker, False
            speaker.hear()
        return stalled, speaker, True


class Echo(Rung, unittest.TestCase):
    index = 0

    def test_greets_and_answers(self):
        peer, other = self.connect(), self.connect()
        self.assertEqual(peer.hear(), "You are connected!")
        self.assertEqual(other.hear(), "You are connected!")
        for text in ("hello", "", "x" * LARGE):
            peer.say(text)
            self.assertEqual(peer.hear(), "You said: " + text)
        other.say("nobody else hears this")
        self.assertEqual(other.hear(), "You said: nobody else hears this")
        self.assertFalse(peer.hears_something(0))


class InTurn(Chat, unittest.TestCase):
    index = 1

    def test_who_does_not_read_stops_everyone(self):
        before = self.memory()
        stalled, speaker, went_on = self.flood()
        self.assertFalse(went_on)
        self.assertLess(self.memory() - before, LITTLE)
        # It was nothing else that stopped them.
        stalled.leave()
        self.assertIn("xxx", speaker.hear())
        self.assert_serves()


class QueueEach(Chat, unittest.TestCase):
    index = 2

    def test_who_does_not_read_stops_nobody_but_costs_all_that_is_said(self):
        before = self.memory()
        _, _, went_on = self.flood()
        self.assertTrue(went_on)
        grown = self.memory() - before
        self.assertGreater(grown, FLOOD // 2)
        self.assertLess(grown, FLOOD * 2)


class Batches(Chat, unittest.TestCase):
    index = 3

    def test_who_does_not_read_costs_little_and_is_cut_off(self):
        before = self.memory()
        stalled, _, went_on = self.flood()
        self.assertTrue(went_on)
        self.assertLess(self.memory() - before, LITTLE)
        self.assertLess(len(stalled.read_to_the_end()), FLOOD // LARGE)

    def test_several_messages_are_one_packet(self):
        listener, speaker = self.enter(), self.enter()
        # In one segment, so that they are all here when the first is read.
        speaker.send_raw(b"".join(b"\x81\x81\0\0\0\0" + bytes([letter]) for letter in b"abcdefgh"))
        heard = [listener.hear()]
        while listener.has_more():
            heard.append(listener.hear())
        self.assertEqual(heard, [f"[user1]: {letter}" for letter in "abcdefgh"])


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(f"Usage: {sys.argv[0]} 1_ECHO 2_IN_TURN 3_QUEUE_EACH 4_BATCHES [unittest options]")
    programs = sys.argv[1:5]
    del sys.argv[1:5]
    unittest.main()
