"""docs/protocol.md and docs/asyncapi.yaml: every example on the page is sent and received, and the two say the same.

Usage: python3 protocol_test.py PATH_TO_CHORUS_SERVER
"""

import json
import re
import unittest

import schemas
import server_process
from members import ProtocolTest, target
from protocol_page import PAGE, blocks, examples


class Examples(ProtocolTest):
    """The page, played: one conversation from its beginning to its end."""

    async def asyncSetUp(self):
        self.start("--history-messages=2")
        self.examples = examples()

    def take(self, heading):
        return self.examples.pop(heading)

    async def assert_hears(self, members, example):
        """Each of them hears this next, with the very fields of the example, of the same types."""
        for member in members:
            expected, event = json.loads(example), await member.receive()
            self.assert_alike(event, expected)
            self.assertEqual({k: type(v) for k, v in event.items()}, {k: type(v) for k, v in expected.items()})

    async def assert_answered(self, speaker, command, members, *events):
        await speaker.connection.send(command)
        for event in events:
            await self.assert_hears(members, event)

    async def test_the_page_is_one_conversation(self):
        first, = blocks("js")["In five minutes"]
        ann = await self.come(re.search(r'ws://localhost:8080(/\S+)"', first).group(1), *self.take("In five minutes"))
        welcome, = self.take("`welcome`")
        joined, = self.take("`joined`")
        bob = await self.come("/chat/tea?name=bob", welcome, joined)
        both = ann, bob
        await self.assert_hears([ann], joined)

        await self.assert_answered(bob, *self.take("`say {text, id?}`"), both, *self.take("`message`"))
        await self.assert_answered(bob, *self.take("`users {}`"), [bob], *self.take("`users`"))
        await self.assert_answered(bob, *self.take("`rename {name}`"), both, *self.take("`renamed`"))
        complaint, = self.take("`error`")
        await bob.connection.send_unchecked(json.dumps({"type": "say", "id": json.loads(complaint)["id"]}))
        await self.assert_hears([bob], complaint)
        cursor = "{epoch}:4".format(**ann.welcome)
        await ann.connection.close()
        await self.assert_hears([bob], *self.take("`left`"))

        replay, *answer = self.take("`replay {from, to}`")
        self.assertEqual(answer[-1:], self.take("`replayed`"))
        await self.assert_answered(bob, replay, [bob], *answer)

        await self.say_and_hear(bob, ["One.", "Two.", "Three.", "Four."])
        resumed = self.take("Resuming")
        self.assertEqual(resumed[1:2], self.take("`gap`"))
        await self.come(target("/chat/tea", name="ann", since=cursor), *resumed)
        await self.assert_hears([bob], resumed[-1])
        self.assertEqual(self.examples, {}, "examples that nobody has played")

    async def come(self, path, welcome, *events):
        member = await self.enter(path)
        self.assert_alike(member.welcome, json.loads(welcome))
        for event in events:
            await self.assert_hears([member], event)
        return member


class Page(unittest.TestCase):
    """What the page says, and what the document for programs says."""

    def test_there_is_an_example_of_each_event_and_command(self):
        headings = [re.fullmatch(r"`([a-z]+)( \{.*\})?`", heading) for heading in examples()]
        events = {found.group(1) for found in headings if found and not found.group(2)}
        commands = {found.group(1) for found in headings if found and found.group(2)}
        self.assertEqual(events, set(schemas.validators("send")))
        self.assertEqual(commands, set(schemas.validators("receive")))

    def test_examples_are_as_documented_for_programs(self):
        for heading, messages in examples().items():
            command = re.fullmatch(r"`.* \{.*\}`", heading)
            if command:
                schemas.check_command(messages[0])
            schemas.check_events(messages[1:] if command else messages)

    def test_options_exist(self):
        known = server_process.run_to_end("--help").stdout
        for option in set(re.findall(r"`(--[a-z-]+)", PAGE.read_text(encoding="utf-8"))):
            with self.subTest(option=option):
                self.assertRegex(known, rf"(?m)^  {option} ")

    def test_links_within_the_page_lead_somewhere(self):
        text = PAGE.read_text(encoding="utf-8")
        anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
                   for heading in re.findall(r"(?m)^##+ (.*)$", text)}
        self.assertLessEqual(set(re.findall(r"\]\(#([^)]*)\)", text)), anchors)


class AsyncApi(unittest.TestCase):
    """The structure that AsyncAPI 3.0 asks for (www.asyncapi.com/docs/reference/specification/v3.0.0)."""

    def setUp(self):
        self.document = schemas.document()

    def nodes(self, node):
        yield node
        for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from self.nodes(inner)

    def test_root(self):
        self.assertEqual(self.document["asyncapi"], "3.0.0")
        self.assertLessEqual({"title", "version"}, self.document["info"].keys())
        self.assertLessEqual(self.document.keys(), {"asyncapi", "id", "info", "servers", "defaultContentType",
                                                    "channels", "operations", "components"})

    def test_references(self):
        for node in self.nodes(self.document):
            if isinstance(node, dict) and "$ref" in node:
                with self.subTest(node=node):
                    self.assertEqual(list(node), ["$ref"])
                    schemas.resolve(node["$ref"])

    def test_servers(self):
        for server in self.document["servers"].values():
            self.assertLessEqual({"host", "protocol"}, server.keys())
            self.assertNotIn("/", server["host"])

    def test_channels(self):
        for name, channel in self.document["channels"].items():
            with self.subTest(channel=name):
                self.assertEqual(set(re.findall(r"\{(.*?)\}", channel["address"])), set(channel.get("parameters", {})))
                self.assertTrue(all(server["$ref"].startswith("#/servers/") for server in channel["servers"]))
                binding = channel["bindings"]["ws"]
                self.assertEqual((binding["method"], binding["bindingVersion"]), ("GET", "0.1.0"))
                for part in binding.keys() & {"query", "headers"}:
                    self.assertEqual(binding[part]["type"], "object")
                    self.assertTrue(binding[part]["properties"])

    def test_operations(self):
        used = set()
        for name, operation in self.document["operations"].items():
            with self.subTest(operation=name):
                self.assertIn(operation["action"], ("send", "receive"))
                for part in filter(None, (operation, operation.get("reply"))):
                    channel = part["channel"]["$ref"]
                    self.assertRegex(channel, "^#/channels/[A-Za-z]+$")
                    references = [message["$ref"] for message in part["messages"]]
                    self.assertTrue(all(reference.startswith(f"{channel}/messages/") for reference in references))
                    used.update(references)
        channels = self.document["channels"]
        self.assertEqual(used, {f"#/channels/{channel}/messages/{message}" for channel in channels
                                for message in channels[channel]["messages"]})

    def test_messages(self):
        for name, message in self.document["components"]["messages"].items():
            payload = schemas.expanded(message)["payload"]
            schemas.jsonschema.Draft7Validator.check_schema(payload)
            self.assertTrue(message["examples"])
            for example in message["examples"]:
                with self.subTest(message=name, example=example):
                    schemas.jsonschema.Draft7Validator(payload).validate(example["payload"])

    def test_events_are_described_exactly(self):
        for kind, validator in schemas.validators("send").items():
            with self.subTest(kind=kind):
                self.assertIs(validator.schema["additionalProperties"], False)
                self.assertIn("type", validator.schema["required"])

    def test_a_message_that_is_not_as_documented_is_found(self):
        event = {"type": "left", "seq": 1, "name": "ann", "users": 1, "at": 0}
        schemas.check_event(json.dumps(event))
        for wrong in ({"type": "gone"}, {"seq": 0}, {"seq": "1"}, {"name": "a" * 33}, {"more": 1}, {"users": None}):
            with self.subTest(wrong=wrong), self.assertRaises(AssertionError):
                schemas.check_event(json.dumps(event | wrong))
        less = [{name: value for name, value in event.items() if name != missing} for missing in event]
        for text in ("[]", "1", '{"type":"gap","from":1,"from":1,"to":1}', b'{"type":"gap","from":1,"to":1}',
                     '{"type":"say","text":"x"}', *map(json.dumps, less)):
            with self.subTest(text=text), self.assertRaises(AssertionError):
                schemas.check_event(text)
        with self.assertRaises(AssertionError):
            schemas.check_command(json.dumps(event))
        received = {"at": 0.1, "user": "ann", "event": "received", "text": json.dumps(event)}
        schemas.check_transcript("\n".join(map(json.dumps, (received, received | {"text": "[ann]: hi"}))))
        with self.assertRaises(AssertionError):
            schemas.check_transcript(json.dumps(received | {"text": "{}"}))


if __name__ == "__main__":
    server_process.main()
