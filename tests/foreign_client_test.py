"""The server as a client sees it that nobody here wrote: the Python package `websockets`.

Usage: python3 foreign_client_test.py PATH_TO_CHORUS_SERVER
"""

import asyncio
import signal
import sys
import unittest

try:
    import websockets
except ImportError:
    print("skipped: this Python has no package `websockets`")
    sys.exit(77)

import server_process
from server_process import DEADLINE, ServerProcess

KiB = 1024


def refusal(error):
    """The HTTP status with which the server refused; old and new versions of the package say it in different ways."""
    return error.status_code if hasattr(error, "status_code") else error.response.status_code


class ForeignClientTest(unittest.IsolatedAsyncioTestCase):
    """A test with a server of its own, so that the first member is user0. No wait is longer than the deadline."""

    def start(self, *arguments):
        self.server = ServerProcess("--port=0", "--address=127.0.0.1", *arguments)
        self.addCleanup(self.server.end)
        self.server.wait_until_ready()

    async def connect(self, path="/chat", at=None, **how):
        at = at or f"ws://127.0.0.1:{self.server.port}"
        connection = await websockets.connect(at + path, open_timeout=DEADLINE, close_timeout=DEADLINE, **how)
        self.addAsyncCleanup(connection.close)
        return connection

    async def receive(self, connection):
        return await asyncio.wait_for(connection.recv(), DEADLINE)

    async def assert_receives(self, connection, *expected):
        for message in expected:
            self.assertEqual(await self.receive(connection), message)

    async def assert_closed(self, connection, code, reason=None):
        """The server closes the connection now, with this code."""
        with self.assertRaises(websockets.exceptions.ConnectionClosed):
            await self.receive(connection)
        self.assertEqual(connection.close_code, code)
        if reason is not None:
            self.assertEqual(connection.close_reason, reason)


class Chat(ForeignClientTest):
    async def test_the_tutorials_test(self):
        self.start()
        user = await self.connect()
        await self.assert_receives(user, "You are connected! There are 1 users here.")
        await user.send("Hello, I was first!")
        await self.assert_receives(user, "[user0]: Hello, I was first!")

    async def test_two_users_hear_each_other(self):
        self.start()
        first = await self.connect()
        await self.assert_receives(first, "You are connected! There are 1 users here.")
        second = await self.connect()
        await self.assert_receives(second, "You are connected! There are 2 users here.")
        for speaker, line in ((first, "[user0]: Hello!"), (second, "[user1]: Hi there!"), (first, "[user0]: ")):
            await speaker.send(line.split(": ")[1])
            for user in (first, second):
                await self.assert_receives(user, line)

    async def test_users_leave_silently_and_names_are_not_used_again(self):
        self.start()
        first, second = await self.connect(), await self.connect()
        await self.assert_receives(first, "You are connected! There are 1 users here.")
        await second.close()
        self.server.wait_for_line("closed name=user1 ")
        third = await self.connect()
        await self.assert_receives(third, "You are connected! There are 2 users here.")
        await third.send("Anyone?")
        await self.assert_receives(first, "[user2]: Anyone?")

    async def test_binary_is_ignored(self):
        self.start()
        user = await self.connect()
        await self.assert_receives(user, "You are connected! There are 1 users here.")
        await user.send(b"\x00\x01\x02")
        await user.send("after")
        await self.assert_receives(user, "[user0]: after")

    async def test_many_messages_arrive_in_order(self):
        self.start()
        first, second = await self.connect(), await self.connect()
        for user in (first, second):
            await self.receive(user)
        lines = [f"message {number}" for number in range(1000)]

        async def speak():
            for line in lines:
                await first.send(line)

        async def listen(user):
            return [await self.receive(user) for _ in lines]

        _, *heard = await asyncio.gather(speak(), listen(first), listen(second))
        self.assertEqual(heard, 2 * [[f"[user0]: {line}" for line in lines]])


class Echo(ForeignClientTest):
    async def test_greets_and_answers(self):
        self.start()
        user = await self.connect("/echo")
        await self.assert_receives(user, "You are connected!")
        for text in ("hi", "", "bye"):
            await user.send(text)
            await self.assert_receives(user, f"You said: {text}")


class Messages(ForeignClientTest):
    async def test_largest_message(self):
        self.start()
        for path, prefix in (("/chat", "[user0]: "), ("/echo", "You said: ")):
            user = await self.connect(path)
            await self.receive(user)
            text = "".join(chr(ord("a") + i % 26) for i in range(64 * KiB))
            await user.send(text)
            await self.assert_receives(user, prefix + text)
            await user.close()

    async def test_every_length_of_a_frame_header(self):
        self.start()
        user = await self.connect()
        await self.receive(user)
        prefix = "[user0]: "
        for size in (0, 1, 125, 126, 127, 0xFFFF, 0x10000):
            for text in {"x" * size, "x" * max(size - len(prefix), 0)}:
                await user.send(text)
                await self.assert_receives(user, prefix + text)

    async def test_message_over_the_limit(self):
        self.start()
        witness = await self.connect()
        await self.receive(witness)
        whole, fragments = "x" * (64 * KiB + 1), ["x" * 32 * KiB, "x" * 32 * KiB, "x"]
        for message in (whole, fragments):
            user = await self.connect()
            await self.receive(user)
            await user.send(message)
            await self.assert_closed(user, 1009)
        await witness.send("still here")
        await self.assert_receives(witness, "[user0]: still here")

    async def test_limit_is_an_option(self):
        self.start("--max-message-size=10")
        user = await self.connect("/echo")
        await self.receive(user)
        await user.send("x" * 10)
        await self.assert_receives(user, "You said: " + "x" * 10)
        await user.send("x" * 11)
        await self.assert_closed(user, 1009)

    async def test_fragments_are_one_message(self):
        self.start()
        user = await self.connect()
        await self.receive(user)
        for fragments in (["Hel", "lo", "", ", wor", "ld"], ["one"], ["🌍", "世", "ü"], ["", "x"]):
            await user.send(fragments)
            await self.assert_receives(user, "[user0]: " + "".join(fragments))

    async def test_control_frames_between_fragments(self):
        self.start()
        user = await self.connect()
        await self.receive(user)

        async def fragments():
            yield "Hello"
            await asyncio.wait_for(await user.ping(), DEADLINE)
            yield ", world"

        await user.send(fragments())
        await self.assert_receives(user, "[user0]: Hello, world")

    async def test_unicode(self):
        self.start()
        user = await self.connect()
        await self.receive(user)
        for text in ("Grüße, 世界 🌍", "e\u0301 \u202e\u2028 \ufeff", "\x00\x1b\r\n", "\U0010ffff"):
            await user.send(text)
            await self.assert_receives(user, f"[user0]: {text}")


class Liveness(ForeignClientTest):
    async def test_server_answers_pings(self):
        self.start()
        for path in ("/chat", "/echo"):
            user = await self.connect(path)
            for payload in ("", "are you there?", "x" * 125):
                await asyncio.wait_for(await user.ping(payload), DEADLINE)

    async def test_client_that_answers_pings_stays(self):
        self.start("--ping-interval=200ms", "--ping-timeout=1s")
        user = await self.connect(ping_interval=None)
        await self.receive(user)
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(user.recv(), 2.5)  # more than two timeouts, and nothing comes that is not a ping
        await user.send("still here")
        await self.assert_receives(user, "[user0]: still here")

    async def test_client_that_does_not_answer_is_dismissed(self):
        self.start("--ping-interval=100ms", "--ping-timeout=300ms")
        user = await self.connect(ping_interval=None)
        await self.receive(user)
        user.transport.pause_reading()
        try:
            found = await asyncio.to_thread(self.server.wait_for_line, 'closed name=user0 .* reason="([^"]*)"')
        finally:
            user.transport.resume_reading()
        self.assertEqual(found.group(1), "Ping timeout")
        await self.assert_closed(user, 1011, "Ping timeout")


class Closing(ForeignClientTest):
    async def test_close_is_answered_with_the_same_code(self):
        self.start()
        for path in ("/chat", "/echo"):
            for code in (1000, 1001, 3000, 4999):
                user = await self.connect(path)
                await self.receive(user)
                await user.close(code, "Good bye")
                self.assertEqual(user.close_code, code)

    async def test_reason_is_logged(self):
        self.start()
        user = await self.connect()
        await self.receive(user)
        await user.close(1000, "Grüße")
        self.server.wait_for_line('closed name=user0 .* reason="closed by peer: 1000 Grüße"$')

    async def test_server_stops(self):
        self.start("--drain-timeout=1m", "--ping-timeout=1m")
        users = [await self.connect(path) for path in ("/chat", "/chat", "/echo")]
        for user in users:
            await self.receive(user)
        self.server.send_signal(signal.SIGTERM)
        for user in users:
            await self.assert_closed(user, 1012, "Server is stopping")
        self.assertEqual(await asyncio.to_thread(self.server.wait_for_exit), 0)


class Handshake(ForeignClientTest):
    async def refused(self, path="/chat", **how):
        with self.assertRaises(websockets.exceptions.InvalidHandshake) as caught:
            await self.connect(path, **how)
        return refusal(caught.exception)

    async def test_foreign_origin(self):
        self.start("--allow-origin=https://friend.example")
        for path in ("/chat", "/echo"):
            self.assertEqual(await self.refused(path, origin="https://evil.example"), 403)
            self.assertEqual(await self.refused(path, origin="null"), 403)
            for welcome in (f"http://127.0.0.1:{self.server.port}", "https://friend.example", None):
                user = await self.connect(path, origin=welcome)
                await self.receive(user)

    async def test_unknown_path(self):
        self.start()
        self.assertEqual(await self.refused("/nowhere"), 404)

    async def test_unsupported_subprotocol(self):
        self.start()
        user = await self.connect(subprotocols=["soap", "wamp"])
        self.assertIsNone(user.subprotocol)
        await self.assert_receives(user, "You are connected! There are 1 users here.")

    async def test_full_server(self):
        self.start("--max-connections=1")
        user = await self.connect()
        await self.receive(user)
        self.assertEqual(await self.refused(), 503)
        await user.close()
        self.server.wait_for_line("closed name=user0 ")

    async def test_with_and_without_compression_offered(self):
        self.start()
        for compression in ("deflate", None):
            user = await self.connect("/echo", compression=compression)
            await self.assert_receives(user, "You are connected!")
            await user.send("hi")
            await self.assert_receives(user, "You said: hi")


if __name__ == "__main__":
    server_process.main()
