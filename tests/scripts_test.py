"""The scripted mode of the client: every script of tests/scripts against a server of ours, scripts that must fail, and an
echo server that nobody here wrote.

A script that needs a server with other options says so in a comment: `# server: --option=value ...`.

Usage: python3 scripts_test.py PATH_TO_CHORUS_SERVER PATH_TO_CHORUS_CLIENT
"""

import asyncio
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import threading

try:
    import websockets
except ImportError:
    websockets = None

import server_process
from server_process import DEADLINE, ServerTest, clean_environment

SCRIPTS = sorted(pathlib.Path(__file__).with_name("scripts").glob("*.chat"))

client = None  # the path of chorus-client; main sets it


class ScriptTest(ServerTest):
    """Plays scripts. Each has a server of its own, so that the first member is user0."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_client(self, url, file, *arguments, timeout=4 * DEADLINE):
        return subprocess.run([client, "--script", file, *arguments, url], env=clean_environment(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)

    def play(self, script, *arguments, server=()):
        """Plays the text of a script as the file `test.chat` against a new server."""
        file = self.folder / "test.chat"
        file.write_text(textwrap.dedent(script), encoding="utf-8")
        port = self.start("--address=127.0.0.1", *server).port
        result = self.run_client(f"ws://127.0.0.1:{port}/chat", file, *arguments)
        result.stdout = result.stdout.replace(str(self.folder) + "/", "")
        result.stderr = result.stderr.replace(str(self.folder) + "/", "")
        return result

    def assert_passes(self, result, summary):
        self.assertEqual((result.returncode, result.stderr, result.stdout), (0, "", summary + "\n"))

    def assert_fails(self, result, report, code=1):
        self.assertEqual((result.stderr, result.stdout), (textwrap.dedent(report), ""))
        self.assertEqual(result.returncode, code)


class Scripts(ScriptTest):
    """One test per file; they are added below."""

    def play_file(self, file):
        options = re.findall(r"^# server: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        port = self.start("--address=127.0.0.1", *" ".join(options).split()).port
        result = self.run_client(f"ws://127.0.0.1:{port}/chat", file, "--tap")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        points = [line for line in lines if line.startswith("ok ")]
        self.assertEqual(lines, ["TAP version 13", *points, f"1..{len(points)}"])
        self.assertTrue(points)


def add_script(file):
    setattr(Scripts, "test_" + file.stem, lambda self: self.play_file(file))


for script in SCRIPTS:
    add_script(script)


class Results(ScriptTest):
    """What a run prints, and how it exits."""

    def test_success_is_one_line(self):
        self.assert_passes(self.play("""\
            connect alice
            expect alice "You are connected! There are 1 users here."
            """), "test.chat: 2 steps, 1 user, ok")

    def test_empty_script(self):
        self.assert_passes(self.play("# nothing\n\n"), "test.chat: 0 steps, 0 users, ok")

    def test_wrong_message(self):
        self.assert_fails(self.play("""\
            connect alice
            connect bob
            expect  alice "You are connected! There are 1 users here."
            send    alice "one"
            send    alice "two \\n"
            expect  alice /one/
            expect  alice /two/
            ping    bob  # its pong comes after what was said
            expect  bob   "[user0]: one"
            """), """\
            test.chat:9:15: error: bob did not get what was expected
               9 | expect  bob   "[user0]: one"
                 |               ^
              expected: "[user0]: one"
                  came: "You are connected! There are 2 users here."
               waiting: "[user0]: one"
                        "[user0]: two \\n"
            """)

    def test_nothing_came(self):
        self.assert_fails(self.play("""\
            connect alice
            expect alice /1 us/
            repeat 2 as round
                within 100ms expect alice /1 us/
            end
            """), """\
            test.chat:4:31: error: alice did not get what was expected
               4 |     within 100ms expect alice /1 us/
                 |                               ^
              expected: /1 us/
                  came: nothing within 100ms
                 where: $round = 0
            """)

    def test_closed_instead(self):
        self.assert_fails(self.play("""\
            connect alice
            expect alice /connected/
            send alice "x" * 1025
            expect alice /x/
            """, server=["--max-message-size=1KiB"]), """\
            test.chat:4:14: error: alice did not get what was expected
               4 | expect alice /x/
                 |              ^
              expected: /x/
                  came: nothing, the connection was closed with 1009
            """)

    def test_long_text_is_cut_and_shows_where_it_differs(self):
        result = self.play("""\
            connect alice /echo
            expect alice /connected/
            send alice "x" * 20000
            expect alice "You said: " + "x" * 19999 + "y"
            """)
        self.assertIn('came: "You said: xxx', result.stderr)
        self.assertIn('xxx"... (20010 bytes)\n', result.stderr)
        self.assertIn('differs: from byte 20009: expected "y", came "x"\n', result.stderr)
        self.assertEqual(result.returncode, 1)

    def test_much_waiting_is_counted(self):
        result = self.play("""\
            connect alice
            connect bob
            repeat 9
              send alice "$i"
            end
            expect-eventually bob "[user0]: 8"
            ping    alice  # its pong comes after all that bob has seen
            silence alice 1s
            """)
        self.assertRegex(result.stderr, r'came: "You are connected!.*"\n +"\[user0\]: 0"\n')
        self.assertIn('"[user0]: 3"\n            and 5 more\n', result.stderr)

    def test_json_and_any_order(self):
        self.assert_fails(self.play("""\
            connect alice
            send alice "x"
            within 1s
            expect-any-order alice {"a": [1, "$$"]} /x/ /connected/
            """), """\
            test.chat:4:24: error: alice did not get what was expected
               4 | expect-any-order alice {"a": [1, "$$"]} /x/ /connected/
                 |                        ^
              expected: at least {"a":[1,"$"]}
                  came: nothing within 1s
            """)

    def test_refused(self):
        self.assert_fails(self.play("connect alice /nowhere\n"), """\
            test.chat:1:1: error: alice could not connect
               1 | connect alice /nowhere
                 | ^
              expected: HTTP status 101
                  came: HTTP status 404
            """)
        self.assert_fails(self.play("expect-refused 404 /chat\n"), """\
            test.chat:1:1: error: the connection was not refused as expected
               1 | expect-refused 404 /chat
                 | ^
              expected: HTTP status 404
                  came: HTTP status 101, the connection is open
            """)

    def test_nobody_there(self):
        file = self.folder / "test.chat"
        file.write_text("connect alice\n", encoding="utf-8")
        result = self.run_client(f"ws://127.0.0.1:{server_process.free_port()}/", file)
        self.assertIn("came: no answer: Connection refused", result.stderr)
        self.assertEqual(result.returncode, 1)

    def test_wrong_subprotocol(self):
        self.assert_fails(self.play("""\
            connect alice subprotocol unheard.of
            expect-subprotocol alice
            expect-subprotocol alice unheard.of
            """), """\
            test.chat:3:1: error: the server did not choose alice's subprotocol as expected
               3 | expect-subprotocol alice unheard.of
                 | ^
              expected: "unheard.of"
                  came: no subprotocol
            """)

    def test_wrong_close_code_and_stale_user(self):
        result = self.play("""\
            connect alice
            expect alice /connected/
            send alice "\\xff"
            expect-close alice 1000
            """)
        self.assertIn('expected: close with 1000\n      came: the connection was closed with 1007', result.stderr)
        result = self.play("connect alice\nclose alice\nsend alice \"x\"\n")
        self.assertIn("test.chat:3:6: error: nobody is connected as 'alice' now\n", result.stderr)
        self.assertEqual(result.returncode, 1)

    def test_pong_that_does_not_come(self):
        result = self.play("connect alice\nstall alice\nsend alice \"x\"\nping alice \"1\"\nwithin 200ms ping alice \"2\"\n")
        self.assertIn("alice could not get a pong for its ping\n", result.stderr)
        self.assertIn("came: nothing within ", result.stderr)

    def test_control_characters_are_escaped(self):
        result = self.play('connect alice\nexpect alice /c/\nsend alice "\\u{1b}[2J\\u{9b}"\nexpect alice "x"\n')
        self.assertIn(r'came: "[user0]: \x1b[2J\u{9b}"', result.stderr)


class SyntaxErrors(ScriptTest):
    def check(self, line, column, message, before="connect alice\n"):
        result = self.play(before + line + "\n")
        number = before.count("\n") + 1
        self.assertTrue(result.stderr.startswith(f"test.chat:{number}:{column}: error: {message}"), result.stderr)
        self.assertIn(f"   {number} | {line}\n", result.stderr)
        self.assertEqual((result.returncode, result.stdout), (2, ""))

    def test_errors_say_where_and_what_would_be_right(self):
        self.check('sned alice "x"', 1, "unknown statement 'sned'; did you mean 'send'?")
        self.check('send alcie "x"', 6, "nobody is connected as 'alcie' above; did you mean 'alice'?")
        self.check("send alice hello", 12, 'expected a string in quotes, such as "hello"')
        self.check('  expect alice "é" "x', 20, "there is too much in this line")
        self.check("repeat 3", 1, "this 'repeat' has no 'end'")

    def test_with_tap_it_bails_out(self):
        result = self.play("sned\n", "--tap")
        self.assertEqual(result.stdout, "Bail out! test.chat:1:1: error: unknown statement 'sned'; did you mean 'send'?\n")
        self.assertEqual(result.returncode, 2)

    def test_unreadable_files(self):
        for file in (self.folder / "missing.chat", self.folder):
            result = self.run_client("ws://127.0.0.1:1/", file)
            self.assertRegex(result.stderr, r"^chorus-client: .* cannot be read")
            self.assertEqual(result.returncode, 2)
        result = self.play("connect alice\n", "--transcript", self.folder)
        self.assertRegex(result.stderr, r"^chorus-client: .* cannot be written: Is a directory\n$")
        self.assertEqual(result.returncode, 2)


class Tap(ScriptTest):
    def test_points_and_diagnostics(self):
        result = self.play("""\
            connect alice  # the first
            connect bob
            repeat 2
              send alice "$i"
            end
            expect-eventually bob "[user0]: 1"
            ping alice  # its pong comes after what bob has heard
            expect alice /connected/
            expect alice "[user0]: 1"
            close alice
            """, "--tap")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertEqual(result.stdout, textwrap.dedent(r"""
            TAP version 13
            ok 1 - line 1: connect alice  \# the first
            ok 2 - line 2: connect bob
            ok 3 - line 6: expect-eventually bob "[user0]: 1"
            ok 4 - line 7: ping alice  \# its pong comes after what bob has heard
            ok 5 - line 8: expect alice /connected/
            not ok 6 - line 9: expect alice "[user0]: 1"
            # test.chat:9:14: error: alice did not get what was expected
            #    9 | expect alice "[user0]: 1"
            #      |              ^
            #   expected: "[user0]: 1"
            #       came: "[user0]: 0"
            #    waiting: "[user0]: 1"
            1..6
            """).lstrip("\n"))


class Transcripts(ScriptTest):
    def test_every_event_is_there(self):
        file = self.folder / "transcript"
        result = self.play("""\
            connect alice
            expect alice /connected/
            send alice "hi"
            expect alice /hi/
            send-binary alice hex:00ff
            ping alice "p"
            stall alice
            unstall alice
            connect bob
            drop bob
            close alice 1000 "bye"
            expect-refused 404 /nowhere
            """, "--transcript", file)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        times = [event.pop("at") for event in events]
        self.assertEqual(times, sorted(times))
        greetings = [event for event in events if event.get("text", "").startswith("You are connected!")]
        self.assertEqual(greetings[0], {"user": "alice", "event": "received",
                                        "text": "You are connected! There are 1 users here."})
        self.assertEqual([event for event in events if event not in greetings], [
            {"user": "alice", "event": "connected"},
            {"user": "alice", "event": "sent", "text": "hi"},
            {"user": "alice", "event": "received", "text": "[user0]: hi"},
            {"user": "alice", "event": "sent", "hex": "00ff"},
            {"user": "alice", "event": "ping", "text": "p"},
            {"user": "alice", "event": "pong", "text": "p"},
            {"user": "alice", "event": "stalled"},
            {"user": "alice", "event": "unstalled"},
            {"user": "bob", "event": "connected"},
            {"user": "bob", "event": "dropped"},
            {"user": "alice", "event": "close", "code": 1000, "text": "bye"},
            {"user": "alice", "event": "closed", "code": 1000, "text": ""},
            {"event": "refused", "code": 404, "text": "the server answered 404 Not Found"},
        ])


class ForeignServer(ScriptTest):
    """The six-line echo server of docs/scripting.md."""

    SCRIPT = """\
        connect     alice
        send        alice "hello"
        expect      alice "hello"
        send        alice {"type": "message", "from": {"name": "me", "id": 1}, "n": [1, 2]}
        expect      alice {"from": {"name": "me"}, "n": [1, 2.0]}
        send-binary alice hex:0a0b
        expect-binary alice hex:0a0b
        ping        alice "are you there?"
        close       alice 1000 "bye"
        """

    def start_echo_server(self):
        """Runs it in a thread of its own; yields its port."""
        loop, ready = asyncio.new_event_loop(), threading.Event()
        port, stop = [], asyncio.Event()

        async def echo(connection, *_):
            async for message in connection:
                await connection.send(message)

        async def serve():
            async with websockets.serve(echo, "127.0.0.1", 0) as server:
                port.append(server.sockets[0].getsockname()[1])
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        self.addCleanup(loop.close)
        self.addCleanup(thread.join, DEADLINE)
        self.addCleanup(loop.call_soon_threadsafe, stop.set)
        self.assertTrue(ready.wait(DEADLINE))
        return port[0]

    def test_echo(self):
        if websockets is None:
            self.skipTest("this Python has no package `websockets`")
        file = self.folder / "echo.chat"
        file.write_text(textwrap.dedent(self.SCRIPT), encoding="utf-8")
        result = self.run_client(f"ws://127.0.0.1:{self.start_echo_server()}/", file)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("echo.chat: 9 steps, 1 user, ok", result.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 3 or not os.access(sys.argv[2], os.X_OK):
        sys.exit(f"Usage: {sys.argv[0]} PATH_TO_CHORUS_SERVER PATH_TO_CHORUS_CLIENT [unittest options]")
    client = os.path.abspath(sys.argv.pop(2))
    server_process.main()
