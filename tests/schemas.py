"""Holds the JSON messages of chorus.v1 against docs/asyncapi.yaml, in both directions.

A suite that speaks with a server of ours wraps its connections, or hands over what it has heard:

    connection = schemas.checked(await websockets.connect(...))  # every recv and send
    schemas.check_events(output.splitlines())  # what a client printed
    schemas.check_transcript(file.read_text())  # what `chorus-client --transcript` wrote

Each raises AssertionError for a message that is not as documented. Without the packages `jsonschema` and `yaml` nothing
is checked; `available` says so.
"""

import functools
import json
import pathlib

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = yaml = None

SUBPROTOCOL = "chorus.v1"
DOCUMENT = pathlib.Path(__file__).parent.with_name("docs") / "asyncapi.yaml"

available = jsonschema is not None


@functools.cache
def document():
    return yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


def resolve(reference):
    """What a reference within the document stands for. Raises KeyError if there is no such thing."""
    if not reference.startswith("#/"):
        raise KeyError(reference)
    node = document()
    for step in reference[2:].split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def expanded(node):
    """The same with what its references stand for in their place."""
    if isinstance(node, dict):
        return expanded(resolve(node["$ref"])) if "$ref" in node else {k: expanded(v) for k, v in node.items()}
    return [expanded(item) for item in node] if isinstance(node, list) else node


@functools.cache
def validators(action):
    """type -> validator, for the JSON that the server sends (events) or receives (commands)."""
    operations = [o for o in document()["operations"].values() if o["channel"]["$ref"] == "#/channels/room"]
    messages = [message for o in operations if o["action"] == action for message in o["messages"]]
    if action == "send":
        messages += [message for o in operations if "reply" in o for message in o["reply"]["messages"]]
    payloads = [expanded(message)["payload"] for message in messages]
    return {payload["properties"]["type"]["const"]: jsonschema.Draft7Validator(payload) for payload in payloads}


def unique(pairs):
    assert len(dict(pairs)) == len(pairs), f"a field is repeated: {pairs}"
    return dict(pairs)


def check(action, text):
    if not available:
        return
    assert isinstance(text, str), f"not a text message: {text!r}"
    message = json.loads(text, object_pairs_hook=unique)
    assert isinstance(message, dict) and message.get("type") in validators(action), f"of no documented type: {text}"
    for error in validators(action)[message["type"]].iter_errors(message):
        raise AssertionError(f"not as documented: {text}\n{error.json_path}: {error.message}")


def check_event(text):
    """`text` is an event, as the server sends it."""
    check("send", text)


def check_command(text):
    """`text` is a command, as a client sends it."""
    check("receive", text)


def check_events(lines):
    for line in lines:
        check_event(line)


def check_transcript(text):
    """All JSON that was received from a server of ours. No line of the text dialect begins with a brace."""
    entries = map(json.loads, text.splitlines())
    check_events(e["text"] for e in entries if e["event"] == "received" and e.get("text", "").startswith("{"))


def checked(connection):
    """The same connection of the package `websockets`. If it speaks JSON, all that goes over it from now on is checked;
    `send_unchecked` is for what is wrong on purpose."""
    if connection.subprotocol != SUBPROTOCOL:
        return connection
    recv, connection.send_unchecked = connection.recv, connection.send

    async def checked_recv(*arguments, **options):
        event = await recv(*arguments, **options)
        check_event(event)
        return event

    async def checked_send(command):
        check_command(command)
        await connection.send_unchecked(command)

    connection.recv, connection.send = checked_recv, checked_send
    return connection
