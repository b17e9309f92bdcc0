"""Members of rooms who speak JSON, for tests of the protocol. Whatever goes either way must be as documented."""

import asyncio
import http.client
import io
import json
import re
import sys
import urllib.parse

import schemas
from foreign_client_test import ForeignClientTest  # exits where there is no package `websockets`
from server_process import DEADLINE

if not schemas.available:
    print("skipped: this Python has no packages `jsonschema` and `yaml`")
    sys.exit(77)

KiB = 1024
VOLATILE = ("at", "epoch", "detail")  # what is one value of many


def quoted(text):
    """Percent-encoded, all but letters, digits and `-._~`."""
    return urllib.parse.quote(text, safe="")


def target(path="/chat", **query):
    return f"{path}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}" if query else path


class Member:
    """One who speaks JSON in a room."""

    def __init__(self, connection):
        self.connection = connection
        self.welcome = None

    async def receive(self):
        return json.loads(await asyncio.wait_for(self.connection.recv(), DEADLINE))

    async def send(self, kind, **fields):
        await self.connection.send(json.dumps({"type": kind, **fields}, ensure_ascii=False))

    async def until(self, found):
        """What it hears before the first event that `found` is true for, and that event."""
        before = []
        while not found(event := await self.receive()):
            before.append(event)
        return before, event

    async def heard_before(self, mark):
        return (await self.until(lambda event: event.get("id") == mark))[0]


class ProtocolTest(ForeignClientTest):
    """A test with a server of its own, and members that speak JSON there."""

    async def enter(self, path="/chat"):
        """A member who has heard nothing but its welcome yet."""
        connection = await self.connect(path, subprotocols=[schemas.SUBPROTOCOL])
        self.assertEqual(connection.subprotocol, schemas.SUBPROTOCOL)
        member = Member(schemas.checked(connection))
        member.welcome = await member.receive()
        self.assertEqual(member.welcome["type"], "welcome")
        return member

    async def join(self, name, path="/chat"):
        """A member who has heard its own `joined`, and nothing else before."""
        member = await self.enter(target(path, name=name))
        self.assert_alike(await member.receive(), {"type": "joined", "seq": member.welcome["seq"] + 1,
                                                   "name": member.welcome["name"], "users": member.welcome["users"]})
        return member

    def assert_alike(self, event, expected):
        """The same fields and values but for those that are volatile; they may be missing in what is expected."""
        self.assertEqual({k: v for k, v in event.items() if k not in VOLATILE},
                         {k: v for k, v in expected.items() if k not in VOLATILE})

    async def leave(self, member):
        """Returns when the room knows that the member has left."""
        await member.connection.close()
        name = re.escape(member.welcome["name"])
        await asyncio.to_thread(self.server.wait_for_line, rf"\bclosed name={name} ")

    async def say_and_hear(self, speaker, texts):
        """The speaker says all of these, one by one, and hears each; returns the messages."""
        heard = []
        for text in texts:
            await speaker.send("say", text=text)
            heard.append(await speaker.receive())
            self.assertEqual((heard[-1]["type"], heard[-1]["text"]), ("message", text))
        return heard

    async def answer_to(self, asked, *headers):
        """The answer to a WebSocket handshake with this very request target, as http.client reads it, and its body."""
        lines = [f"GET {asked} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}", "Connection: Upgrade",
                 "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                 *headers, "", ""]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            writer.write("\r\n".join(lines).encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE)
            status, fields = head.split(b"\r\n", 1)
            fields = http.client.parse_headers(io.BytesIO(fields))
            body = await asyncio.wait_for(reader.readexactly(int(fields["Content-Length"] or 0)), DEADLINE)
            return int(status.split()[1]), fields, body
        finally:
            writer.close()
