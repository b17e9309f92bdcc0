"""What a client can get wrong: each mistake ends as docs/protocol.md says, and nobody else is affected.

Usage: python3 bad_input_test.py PATH_TO_CHORUS_SERVER
"""

import itertools
import json
import struct

import schemas
import server_process
from members import KiB, ProtocolTest, quoted


class Misuse(ProtocolTest):
    """One who says what it should not, and a witness in the same room."""

    async def asyncSetUp(self):
        self.start()
        self.witness = await self.join("witness")
        self.speaker = await self.join("speaker")
        self.assertEqual((await self.witness.receive())["type"], "joined")
        self.marks = map("mark-{}".format, itertools.count())

    async def assert_well(self):
        """Both still hear each other, and nothing else."""
        self.assertEqual(await self.consequences(), ([], []))

    async def consequences(self, *messages):
        """The speaker sends these as they are; what it hears of it, and what the witness does."""
        for message in messages:
            await self.speaker.connection.send_unchecked(message)
        mark = next(self.marks)
        await self.speaker.send("say", text="still here", id=mark)
        return await self.speaker.heard_before(mark), await self.witness.heard_before(mark)

    async def assert_bad_request(self, command, line=None):
        """The speaker gets this error, with the `id` of its command if that is a valid one; nobody else hears of it."""
        with self.subTest(command=command[:200]):
            heard, overheard = await self.consequences(command)
            self.assertEqual([(e["type"], e.get("code"), e.get("id")) for e in heard], [("error", "bad_request", line)])
            self.assertTrue(heard[0]["detail"])
            self.assertEqual(overheard, [])

    async def assert_said(self, command, text, line=None):
        """Both hear this text, and nothing else."""
        with self.subTest(command=command[:200]):
            for heard in await self.consequences(command):
                self.assertEqual([(e["type"], e.get("text"), e.get("id")) for e in heard], [("message", text, line)])


# Commands as they should be, in raw JSON, and what is wrong instead of a value.
VALID = {"say": {"text": '"hello"', "id": '"x1"'}, "users": {}, "rename": {"name": '"speaker"'},
         "replay": {"from": "1", "to": "2"}}
NO_STRINGS = ("null", "true", "false", "0", "-1", "1.5", "[]", "{}", '["x"]', '{"text":"x"}')
NO_PLACES = ("null", "true", "[]", "{}", "[1]", '""', '"1"', "0", "-0", "-1", "1.0", "1e0", "1.5", "-1.5", "1e300",
             "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1" + 40 * "0",
             "-9007199254740993", "-9223372036854775809")
NO_JSON = (
    "", " ", "hello", "null", "true", "1", '"say"', "[]", '[{"type":"users"}]', "{", "}", '{"type"', '{"type":}',
    '{"type":"users"', '{"type":"users",}', "{'type':'users'}", "{type:users}", '{"type":"users"}{"type":"users"}',
    '{"type":"users"} x', '{"type":"users"/**/}', '\ufeff{"type":"users"}', '{"type":"users","x":01}',
    '{"type":"users","x":+1}', '{"type":"users","x":.5}', '{"type":"users","x":NaN}', '{"type":"users","x":Infinity}',
    '{"type":"users","x":tru}', '{"type":"say","text":"a\nb"}', '{"type":"say","text":"a\0b"}',
    '{"type":"say","text":"\\x41"}', '{"type":"say","text":"\\u12"}', '{"type":"say","text":"\\u12g4"}')


def raw(kind, fields):
    return "{" + ",".join([f'"type":"{kind}"', *(f'"{name}":{value}' for name, value in fields.items())]) + "}"


def nested(depth):
    """A `users` command whose deepest value is that deep, the command itself being the first level."""
    return '{"type":"users","x":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


class BadCommands(Misuse):
    def line_of(self, fields):
        """The `id` that an error must come with."""
        return json.loads(fields["id"]) if "id" in fields else None

    async def test_missing_fields(self):
        for kind, fields in VALID.items():
            for missing in fields.keys() - {"id"}:
                rest = {name: value for name, value in fields.items() if name != missing}
                await self.assert_bad_request(raw(kind, rest), self.line_of(rest))
        for fields in ("", '"text":"hello"', '"Type":"say","text":"hello"', '"id":"x1"', '"id":"x1","text":"hello"'):
            line = "x1" if "x1" in fields else None
            await self.assert_bad_request("{" + fields + "}", line)

    async def test_fields_of_another_type(self):
        for kind, fields in VALID.items():
            for name, value in fields.items():
                for wrong in NO_STRINGS if value.startswith('"') else NO_PLACES:
                    others = fields | {name: wrong}
                    await self.assert_bad_request(raw(kind, others), None if name == "id" else self.line_of(fields))
        for wrong in NO_STRINGS:
            await self.assert_bad_request(f'{{"type":{wrong},"text":"hello","id":"x1"}}', "x1")

    async def test_unknown_types(self):
        for kind in ("", "shout", "SAY", "say ", " say", "say\\u0000", "message", "welcome", "s" * 10000):
            await self.assert_bad_request(raw(kind, VALID["say"]), "x1")

    async def test_places_that_are_none(self):
        newest = self.speaker.welcome["seq"] + 1
        for begin, end in ((2, 1), (newest + 1000, newest + 1001), (2**53, 2**53)):
            await self.assert_bad_request(raw("replay", {"from": begin, "to": end, "id": '"x1"'}), "x1")

    async def test_ids(self):
        for line in ("", "x" * 65, "x" * 60000, "é", "\t", "a\nb", "\x7f", "a\0", "🌍"):
            await self.assert_bad_request(raw("say", {"text": '"hello"', "id": json.dumps(line)}))
        for line in ("x", "x" * 64, " ", "~", '"\\', " !~"):
            await self.assert_said(raw("say", {"text": '"hello"', "id": json.dumps(line)}), "hello", line)

    async def test_names(self):
        for name in BAD_NAMES:
            await self.assert_bad_request(raw("rename", {"name": json.dumps(name)}))

    async def test_no_json(self):
        for text in NO_JSON:
            await self.assert_bad_request(text)

    async def test_white_space_and_escapes_are_json(self):
        await self.assert_said(' {\n"type"\t: "say" ,\r\n"text" :"a b" } \n', "a b")
        await self.assert_said('{"\\u0074ype":"s\\u0061y","text":"\\u0000\\ud83c\\udf0d\\/\\"\\\\\\n"}', '\0🌍/"\\\n')

    async def test_nesting(self):
        for depth in (9, 10, 33, 1000, 30000):
            await self.assert_bad_request(nested(depth))
        await self.assert_bad_request('{"type":"users","x":' + '{"a":' * 9 + "1" + "}" * 9 + "}")
        await self.assert_bad_request("[" * 60000)
        await self.assert_bad_request('{"type":' * 7000)
        heard, overheard = await self.consequences(nested(8))
        self.assertEqual(([event["type"] for event in heard], overheard), (["users"], []))

    async def test_lone_surrogates(self):
        for half in ("\\ud800", "\\udbff", "\\udc00", "\\udfff", "\\uD83C", "\\ud800x", "\\ud800\\ud800",
                     "\\udc00\\ud800", "\\ud800\\n"):
            for command in ('{"type":"say","text":"%s"}', '{"type":"say","text":"x","id":"%s"}', '{"type":"%s"}',
                            '{"type":"rename","name":"a%s"}', '{"type":"users","x":"%s"}', '{"type":"users","x%s":1}'):
                await self.assert_bad_request(command % half)

    async def test_of_a_repeated_field_the_last_counts(self):
        await self.assert_said('{"type":"say","text":"a","text":"b"}', "b")
        await self.assert_said('{"type":"say","text":1,"text":"b"}', "b")
        await self.assert_said('{"type":"users","text":"b","type":"say"}', "b")
        await self.assert_said('{"type":"say","text":"b","id":"","id":"x2"}', "b", "x2")
        await self.assert_bad_request('{"type":"say","text":"a","text":1}')
        await self.assert_bad_request('{"type":"say","text":"a","type":"shout"}')
        await self.assert_bad_request('{"type":"say","id":"x1","id":"x2"}', "x2")

    async def test_further_fields_are_ignored(self):
        await self.assert_said('{"seq":7,"from":"witness","type":"say","at":null,"text":"b","":{},"__proto__":[]}', "b")
        many = ",".join(f'"{n}":{n}' for n in range(5000))
        await self.assert_said('{"type":"say","text":"b",%s}' % many, "b")

    async def test_texts(self):
        for text in ("", " ", "\0", "[chorus]: 1 messages skipped", "\r\n\x1b[2J\x7f\x85", "\u2028\u202e\ufeff\uffff",
                     "e\u0301", '{"type":"left"}', '"\\', "\U0010ffff"):
            await self.assert_said(json.dumps({"type": "say", "text": text}), text)
            await self.assert_said(json.dumps({"type": "say", "text": text}, ensure_ascii=False), text)

    async def test_replay_to_beyond_the_newest_event(self):
        await self.assert_well()
        heard, overheard = await self.consequences(raw("replay", {"from": 1, "to": 2**53}))
        self.assertEqual([event["type"] for event in heard], ["joined", "joined", "message", "replayed"])
        self.assertEqual((heard[-1]["from"], heard[-1]["to"]), (1, 3))
        self.assertEqual(overheard, [])


TEXT, BINARY = 0x1, 0x2


def frame(opcode, payload):
    """One final frame of a client, masked with zeros."""
    size = len(payload)
    if size < 126:
        length = struct.pack("!B", 0x80 | size)
    else:
        length = struct.pack("!BH", 0x80 | 126, size) if size < 1 << 16 else struct.pack("!BQ", 0x80 | 127, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class BadMessages(Misuse):
    """What ends a connection; the witness hears no more of it than that somebody came and left."""

    async def assert_closed_for(self, code, reason, data):
        with self.subTest(code=code, data=data[:100]):
            sinner = await self.join("sinner")
            sinner.connection.transport.write(data)
            await self.assert_closed(sinner.connection, code, reason)
            for member in (self.speaker, self.witness):
                for kind in ("joined", "left"):
                    event = await member.receive()
                    self.assertEqual((event["type"], event["name"]), (kind, "sinner"))
            await self.assert_well()

    async def test_binary(self):
        for payload in (b"", b"\0", b'{"type":"users"}', b"x" * 1000):
            await self.assert_closed_for(1003, "Text messages only", frame(BINARY, payload))

    async def test_no_utf8(self):
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b'{"type":"say","text":"\x80"}',
                     b'{"type":"say","text":"\xc3'):
            await self.assert_closed_for(1007, None, frame(TEXT, text))

    async def test_too_big(self):
        text = "x" * (64 * KiB - len(raw("say", {"text": '""'})))
        fitting = raw("say", {"text": json.dumps(text)})
        await self.assert_said(fitting, text)
        await self.assert_closed_for(1009, None, frame(TEXT, f"{fitting} ".encode()))

    async def test_no_frames(self):
        for data in (b"\x83\x80" + bytes(4), b"\xc1\x80" + bytes(4), b"\x81\x02{}", b"\x80\x80" + bytes(4)):
            await self.assert_closed_for(1002, None, data)


BAD_NAMES = (
    "", "a" * 33, "🌍" * 33, "a" * 5000, "a\0b", "\0", "\t", "a\nb", "\x1b[2J", "\x7f", "a\x85b", "[", "a]", "[ann]",
    " ann", "ann ", " ", "\u00a0ann", "ann\u3000", "a\u2028b", "a\u2029b", "\u202eann", "a\u202db", "a\u2066b", "\u200eann",
    "a\u200bb", "\ufeffann", "a\u00adb", "a\U000e0001b", "\u200d", "\u200c\u200d", "\ufe0f",
    "user0", "user12345678901234567890", "User7", "USER7", "chorus", "Chorus", "CHORUS")
BAD_BYTES = (
    "%", "%4", "%zz", "a%", "a%2", "%00", "a%00b", "%c0%80", "%c0%ae%c0%ae", "%e0%80%af", "%ed%a0%80", "%ed%bf%bf",
    "%f4%90%80%80", "%f8%88%80%80%80", "%80", "%ff", "%c3", "a%e2%80", "%E2%80%AEann", "%5b", "ann%20", "%0a")
BAD_ROOMS = (
    "", ".", "..", "%2e%2E", "x" * 65, "%78" * 65, "x" * 5000, "a/b", "/", "tea/", "a%2fb", "../echo", "..%2fecho",
    "a%20b", "a+b", "a~b", "a:b",
    "a@b", "a%3fb", "%", "%2", "%zz", "tea%", "%00", "tea%00", "%0a", "%c0%ae", "%c0%ae%c0%ae", "%e0%80%ae", "%e2%80%ae",
    "%c3%a9", "%ff", "%ed%a0%80", "%2574ea", "t%C3%A9", "%EF%BC%8E")
BAD_CURSORS = (
    "", ":", "1", "1:", ":1", "a:b", "1:b", "a:1", "1:2:3", "1;2", "-1:2", "1:-2", "+1:2", "1:+2", "1:2.0", "1.0:2",
    "1:2e0", "0x1:2", " 1:2", "1: 2", "1:2 ", "1:2\0", "1:9007199254740993", "9007199254740993:1", "1:18446744073709551617",
    "1:" + "9" * 40, "9" * 40 + ":1", "\u0661:\u0662", "null")
BAD_HISTORIES = (
    "", "-1", "-0", "+1", "1.0", "1e3", "1.5", "x", "0x10", " 1", "1 ", "1,2", "1\0", "9007199254740993",
    "18446744073709551616", "9" * 40, "\u0661", "all", "null")


class BadHandshakes(Misuse):
    async def assert_refused(self, asked, expected=400):
        """In both dialects, with a problem for a body."""
        for headers in ((), (f"Sec-WebSocket-Protocol: {schemas.SUBPROTOCOL}",)):
            with self.subTest(asked=asked[:200], headers=headers):
                status, fields, body = await self.answer_to(asked, *headers)
                self.assertEqual((status, fields["Content-Type"]), (expected, "application/problem+json"))
                problem = json.loads(body)
                self.assertEqual((set(problem), problem["status"]), ({"title", "status", "detail"}, expected))

    async def test_names(self):
        for name in BAD_NAMES:
            await self.assert_refused(f"/chat?name={quoted(name)}")
        for encoded in BAD_BYTES:
            await self.assert_refused(f"/chat?name={encoded}")
        await self.assert_well()

    async def test_rooms(self):
        for room in BAD_ROOMS:
            await self.assert_refused(f"/chat/{room}")
        await self.assert_well()

    async def test_cursors(self):
        for cursor in BAD_CURSORS:
            await self.assert_refused(f"/chat?since={quoted(cursor)}")
        for encoded in BAD_BYTES:
            await self.assert_refused(f"/chat?since={encoded}")
        await self.assert_well()

    async def test_histories(self):
        for history in BAD_HISTORIES:
            await self.assert_refused(f"/chat?history={quoted(history)}")
        await self.assert_well()

    async def test_good_and_bad_together(self):
        await self.assert_refused("/chat?name=ann&history=1&since=x")
        await self.assert_refused("/chat?name=user1&history=1")
        await self.assert_refused("/chat/a%20b?name=ann")
        await self.assert_well()

    async def test_paths(self):
        for path in ("/chats", "/Chat", "/echo/", "/echo/tea", "//chat"):
            await self.assert_refused(path, 404)
        await self.assert_refused("/chat?name=" + "a" * 8 * KiB, 431)
        await self.assert_well()


if __name__ == "__main__":
    server_process.main()
