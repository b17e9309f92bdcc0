"""The client that docs/protocol.md shows loses its connections at bad moments, and neither loses nor repeats a line.

Usage: python3 resilient_client_test.py PATH_TO_CHORUS_SERVER
"""

import asyncio
import contextlib
import json
import math
import random
import signal
import socket

import schemas
import server_process
from members import KiB, ProtocolTest
from protocol_page import blocks
from server_process import DEADLINE


class Link:
    """One connection by way of a proxy. What goes to the server passes while `up` is set, what comes, `down`."""

    def __init__(self, client, server):
        self.client, self.server = client, server  # a reader and a writer each
        self.up, self.down, self.held = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.up.set()
        self.down.set()
        self.down_until = math.inf  # so many bytes more; then `down` is no longer set

    async def run(self):
        await asyncio.gather(self.pump(self.client[0], self.server[1], self.up),
                             self.pump(self.server[0], self.client[1], self.down))

    async def pump(self, reader, writer, gate):
        with contextlib.suppress(OSError):
            while data := await reader.read(4 * KiB):
                if not gate.is_set():
                    self.held.set()
                await gate.wait()
                writer.write(data)
                await writer.drain()
                if gate is self.down:
                    self.down_until -= len(data)
                    if self.down_until <= 0:
                        gate.clear()
        writer.close()

    def lose_client(self):
        """The client sees a connection that is lost; the server sees nothing yet."""
        self.client[1].transport.abort()

    def lose(self):
        """It is lost for both, and so is what was held."""
        self.lose_client()
        self.server[1].transport.abort()
        self.up.set()
        self.down.set()


class Proxy:
    """Stands between clients and the server, and does to connections what networks do."""

    def __init__(self, port):
        self.port = port  # the server's
        self.links = []
        self.tasks = set()

    async def start(self):
        """Returns the port to connect to."""
        self.listening = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        return self.listening.sockets[0].getsockname()[1]

    async def accept(self, *client):
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * KiB)  # slow as soon as we do not read
        server.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(server, ("127.0.0.1", self.port))
        except OSError:
            server.close()
            client[1].close()
            return
        self.links.append(Link(client, await asyncio.open_connection(sock=server)))
        await self.links[-1].run()

    def stop(self):
        self.listening.close()
        for link in self.links:
            link.lose()


class Hasty:
    """Random numbers for a client that has no time to wait."""
    getrandbits = staticmethod(random.getrandbits)
    random = staticmethod(lambda: random.random() / 20)


class TheClientOfThePage(ProtocolTest):
    """Ann uses the client that the page shows, by way of a proxy; bob hears what comes of it."""

    async def begin(self, *options):
        self.start(*options)
        self.proxy = Proxy(self.server.port)
        port = await self.proxy.start()
        self.bob = await self.join("bob")
        self.heard = []
        self.ann = self.client_class()(f"ws://127.0.0.1:{port}/chat", "ann", self.heard.append)
        self.running = asyncio.create_task(self.ann.run())
        self.addAsyncCleanup(self.finish)
        self.assertEqual((await self.bob.receive())["name"], "ann")
        await self.assert_said_once("Hello")

    def client_class(self):
        page = {}
        exec("".join(blocks("python")["All of it in one client"]), page)
        page["random"] = Hasty

        class Checked(page["Member"]):
            kinds, progress, before_replay = [], asyncio.Event(), None

            async def take(self, event):
                schemas.check_event(json.dumps(event))
                self.kinds.append(event["type"])
                await super().take(event)
                self.progress.set()

            async def send(self, **command):
                schemas.check_command(json.dumps(command))
                if command["type"] == "replay" and self.missing and self.before_replay:
                    self.before_replay()
                    self.before_replay = None
                await super().send(**command)

        return Checked

    async def finish(self):
        """Ann goes; she must not have failed."""
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running
        self.proxy.stop()

    async def bob_hears(self, kind, **fields):
        """Bob hears this next."""
        event = await self.bob.receive()
        self.assertEqual((event["type"], {name: event.get(name) for name in fields}), (kind, fields))
        return event

    async def assert_said_once(self, text):
        """Ann says it, and bob hears it next."""
        await self.ann.say(text)
        await self.bob_hears("message", text=text)

    async def until(self, condition):
        """Until this holds for ann."""
        while not condition():
            self.ann.progress.clear()
            await asyncio.wait_for(self.ann.progress.wait(), DEADLINE)

    async def assert_all_heard(self):
        """Ann gets to where she has nothing left to say or to ask for, and has heard each event since she came once."""
        await self.bob.send("say", text="That is all.", id="last")
        _, last = await self.bob.until(lambda event: event.get("id") == "last")
        await self.until(lambda: self.ann.seq >= last["seq"] and not self.ann.unheard and not self.ann.missing)
        places = sorted(event["seq"] for event in self.heard if event["seq"] <= last["seq"])
        self.assertEqual(places, list(range(2, last["seq"] + 1)))

    async def hold(self, text):
        """Ann says something that the network keeps on its way, and loses the connection."""
        link = self.proxy.links[-1]
        link.up.clear()
        await self.ann.say(text)
        await asyncio.wait_for(link.held.wait(), DEADLINE)
        link.lose_client()
        await self.bob_hears("joined", name="ann-2")
        await self.until(lambda: self.ann.kinds.count("welcome") == 2 and self.ann.caught_up)  # but there is her ghost
        await self.ann.say("Two.")
        return link

    async def test_a_line_that_arrives_late(self):
        await self.begin()
        link = await self.hold("One.")
        link.up.set()
        await self.bob_hears("message", text="One.", **{"from": "ann"})
        await self.bob_hears("left", name="ann")
        await self.bob_hears("renamed", name="ann-2", to="ann")
        await self.bob_hears("message", text="Two.", **{"from": "ann"})
        await self.assert_all_heard()

    async def test_a_line_that_never_arrives(self):
        await self.begin()
        link = await self.hold("One.")
        link.lose()
        await self.bob_hears("left", name="ann")
        await self.bob_hears("renamed", name="ann-2", to="ann")
        await self.bob_hears("message", text="One.")
        await self.bob_hears("message", text="Two.")
        await self.assert_all_heard()

    async def test_a_line_that_does_not_come_back(self):
        await self.begin()
        link = self.proxy.links[-1]
        link.down.clear()
        await self.assert_said_once("One.")
        # Her line has come back as far as here. The server sees the end first, or she would come back as another.
        await asyncio.wait_for(link.held.wait(), DEADLINE)
        link.server[1].transport.abort()
        await self.bob_hears("left", name="ann")
        link.lose()
        await self.bob_hears("joined", name="ann")
        await self.assert_said_once("Two.")
        await self.assert_all_heard()

    async def fall_behind(self):
        """Ann does not read for a while, and misses something."""
        await self.begin("--outbound-limit=64KiB", "--unsent-limit=16KiB", "--history-bytes=16MiB",
                         "--write-timeout=1m")
        link = self.proxy.links[-1]
        link.down.clear()
        await self.say_and_hear(self.bob, [f"{n} " + "x" * 16 * KiB for n in range(100)])
        link.down.set()
        return link

    async def test_one_who_is_slow(self):
        await self.fall_behind()
        await self.assert_all_heard()
        self.assertIn("gap", self.ann.kinds)

    async def test_a_loss_within_a_replay(self):
        link = await self.fall_behind()
        heard_before = []

        def before_replay():
            heard_before.extend(self.heard)
            link.down_until = 24 * KiB  # not two of these messages

        self.ann.before_replay = before_replay
        await self.until(lambda: len(self.heard) > len(heard_before) > 0)
        link.lose()
        await self.assert_all_heard()

    async def test_many_losses(self):
        await self.begin()
        loses = random.Random(1)
        texts = list(map(str, range(100)))
        for number, text in enumerate(texts):
            await self.ann.say(text)
            if number % 10 == 5:
                link = self.proxy.links[-1]
                (link.lose if loses.random() < 0.5 else link.lose_client)()
            if number % 10 == 9:
                await self.until(lambda: not self.ann.unheard)
        await self.until(lambda: not self.ann.unheard)
        await self.bob.send("say", text="done", id="done")
        events = await self.bob.heard_before("done")
        self.assertEqual([event["text"] for event in events if event["type"] == "message"], texts)
        self.assertEqual(len(self.proxy.links), 11)
        await self.assert_all_heard()

    async def test_restart(self):
        """Then it may happen that a line is said twice, but none is lost."""
        await self.begin()
        self.server.send_signal(signal.SIGTERM)
        await self.assert_closed(self.bob.connection, 1012)
        self.assertEqual(await asyncio.to_thread(self.server.wait_for_exit), 0)
        await self.ann.say("One.")
        self.start()
        self.addAsyncCleanup(self.finish)  # before the server that she is connected to
        self.bob = await self.join("bob")
        self.proxy.port = self.server.port
        await self.bob.until(lambda event: event["type"] == "message" and event["text"] == "One.")


if __name__ == "__main__":
    server_process.main()
