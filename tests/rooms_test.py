"""Rooms as docs/protocol.md tells of them: names, what is heard, where a stream begins and how it goes on after a loss.

Usage: python3 rooms_test.py PATH_TO_CHORUS_SERVER
"""

import asyncio
import json
import signal
import time

import server_process
from members import KiB, ProtocolTest, target

# Names as they are asked for -> as everyone sees them.
GOOD_NAMES = {name: name for name in (
    "a", "ann", "Ann Lee", "a" * 32, "🌍" * 32, "世界", "نور", "क्\u200dष", "Grüße", "user", "user1x", "xuser1",
    "user 1", "chorus!", "the chorus", "..", "/", "%00", "a+b&c=d#e?f", "'\"\\", "<b>", "-2", "0")} | {
    "e\u0301": "é", "e\u0301" * 32: "é" * 32, "\u212b": "Å"}

GOOD_ROOMS = {name: name for name in ("x", "x" * 64, "A", "0", "-", "_", "a.b", "...", ".a", "lobby.", "Lobby")} | {
    "%74%65%61": "tea", "%78" * 64: "x" * 64, "te%61": "tea", "%2e%2Ea": "..a"}


class Joining(ProtocolTest):
    """Query parameters, and the choice of a dialect."""

    async def test_how_parameters_are_read(self):
        self.start()
        for query, name in (("name=Ann+Lee", "Ann Lee"), ("name=a%2Bb", "a+b"), ("n%61me=bob", "bob"),
                            ("name=%5B&name=cay", "cay"), ("names=x&name=dan&&=&history=0&", "dan"),
                            ("NAME=x", "user0"), ("", "user1"), ("x=%5B%00%0A", "user2")):
            with self.subTest(query=query):
                self.assertEqual((await self.enter(f"/chat?{query}")).welcome["name"], name)

    async def test_subprotocols(self):
        self.start()
        for offers in (["chorus.v1"], ["soap", "chorus.v1", "x"], ["soap"], ["chorus"], ["chorus.v2"], None):
            with self.subTest(offers=offers):
                user = await self.connect("/chat/tea", subprotocols=offers)
                speaks_json = "chorus.v1" in (offers or [])
                self.assertEqual(user.subprotocol, "chorus.v1" if speaks_json else None)
                self.assertEqual((await self.receive(user)).startswith("{"), speaks_json)

    async def test_in_plain_text_there_is_history_but_no_cursor(self):
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One.", "Two."])
        await ann.send("rename", name="Ann")
        await ann.receive()
        epoch = ann.welcome["epoch"]
        user = await self.connect(target(name="bob", history=1, since=f"{epoch}:0"))
        await self.assert_receives(user, "You are connected! There are 2 users here.", "[ann]: Two.")
        await user.send("Three.")
        await self.assert_receives(user, "[bob]: Three.")


class Names(ProtocolTest):
    async def test_at_joining_and_renaming(self):
        self.start()
        for number, (asked, name) in enumerate(GOOD_NAMES.items()):
            with self.subTest(asked=asked):
                member = await self.join(asked, f"/chat/room{number}")
                self.assertEqual(member.welcome["name"], name)
        member = await self.enter()
        self.assert_alike(await member.receive(), {"type": "joined", "seq": 1, "name": "user0", "users": 1})
        former = "user0"
        for seq, (asked, name) in enumerate(GOOD_NAMES.items(), 2):
            with self.subTest(asked=asked):
                await member.send("rename", name=asked)
                self.assert_alike(await member.receive(),
                                  {"type": "renamed", "seq": seq, "name": former, "to": name, "users": 1})
                former = name

    async def test_taken_names_get_the_first_free_suffix(self):
        self.start()
        for asked, name in (
                ("ann", "ann"), ("ann", "ann-2"), ("ANN", "ANN-3"), ("ann-2", "ann-2-2"), ("a\u200dnn", "a\u200dnn-4"),
                ("é", "é"), ("E\u0301", "É-2"), ("straße", "straße"), ("STRASSE", "STRASSE-2")):
            with self.subTest(asked=asked):
                self.assertEqual((await self.enter(target(name=asked))).welcome["name"], name)

    async def test_the_end_of_a_long_name_gives_way_to_the_suffix(self):
        self.start()
        for room, long in (("/chat/a", "a" * 32), ("/chat/b", "世" * 32)):
            await self.join(long, room)
            for number in range(2, 12):
                name = (await self.enter(target(room, name=long))).welcome["name"]
                self.assertRegex(name, f"^{long[0]}{{20,}}-{number}$")

    async def test_a_suffix_is_free_again(self):
        self.start()
        first, second = await self.join("ann"), await self.join("ann")
        self.assertEqual((await first.receive())["name"], "ann-2")
        third = await self.join("ann")
        self.assertEqual(third.welcome["name"], "ann-3")
        await second.connection.close()
        for member in (first, third):
            await member.until(lambda event: event["type"] == "left")
        await third.send("rename", name="ann")
        self.assertEqual((await third.receive())["to"], "ann-2")
        await first.connection.close()
        await third.until(lambda event: event["type"] == "left")
        await third.send("rename", name="ann")
        self.assertEqual((await third.receive())["to"], "ann")

    async def test_a_name_that_differs_only_in_case_from_ones_own_is_free(self):
        self.start()
        member = await self.join("ann")
        for name in ("Ann", "ann", "ann"):
            await member.send("rename", name=name)
            self.assertEqual((await member.receive())["to"], name)

    async def test_list_is_sorted_by_code_points(self):
        self.start()
        for name in ("ann", "é", "Zoe", "bob", "🌍", "世界", "ann"):
            last = await self.join(name)
        await last.send("users")
        self.assertEqual((await last.receive())["names"], ["Zoe", "ann", "ann-2", "bob", "é", "世界", "🌍"])

    async def test_nameless_are_counted_per_room_and_never_again(self):
        self.start()
        for room, name in (("/chat", "user0"), ("/chat/tea", "user0"), ("/chat", "user1"), ("/chat", "user2"),
                           ("/chat/tea", "user1")):
            member = await self.enter(room)
            self.assertEqual(member.welcome["name"], name)
            await member.connection.close()


class Rooms(ProtocolTest):
    async def test_names_of_rooms(self):
        self.start()
        for encoded, room in GOOD_ROOMS.items():
            with self.subTest(room=encoded):
                member = await self.join("ann", f"/chat/{encoded}")
                self.assertEqual(member.welcome["room"], room)
                await member.connection.close()

    async def test_chat_is_the_lobby(self):
        self.start()
        ann, bob = await self.join("ann", "/chat"), await self.join("bob", "/chat/lobby")
        self.assertEqual([m.welcome["room"] for m in (ann, bob)], ["lobby", "lobby"])
        self.assertEqual((await ann.receive())["name"], "bob")

    async def test_rooms_do_not_hear_each_other(self):
        self.start()
        rooms = ("/chat/tea", "/chat/Tea", "/chat")
        members = [await self.join("ann", room) for room in rooms]
        for member, room in zip(members, rooms):
            await member.send("say", text=room)
        for member, room in zip(members, rooms):
            self.assert_alike(await member.receive(), {"type": "message", "seq": 2, "from": "ann", "text": room})

    async def test_as_many_rooms_as_there_may_be(self):
        self.start("--max-rooms=2")
        await self.join("ann", "/chat/a")
        await self.join("ann", "/chat/b")
        await self.join("bob", "/chat/b")
        status, fields, _ = await self.answer_to("/chat/c")
        self.assertEqual(status, 503)
        self.assertRegex(fields["Retry-After"], r"^\d+$")

    async def test_both_dialects_in_one_room(self):
        self.start()
        texter = await self.connect("/chat/tea?name=texter")
        await self.assert_receives(texter, "You are connected! There are 1 users here.")
        ann = await self.join("ann", "/chat/tea")
        await texter.send('{"type":"users"}')
        self.assert_alike(await ann.receive(),
                          {"type": "message", "seq": 3, "from": "texter", "text": '{"type":"users"}'})
        await ann.send("rename", name="Ann")
        await ann.send("say", text="hi", id="x")
        await self.assert_receives(texter, '[texter]: {"type":"users"}', "[Ann]: hi")
        self.assertEqual([(await ann.receive())["type"] for _ in range(2)], ["renamed", "message"])
        await texter.close()
        self.assert_alike(await ann.receive(), {"type": "left", "seq": 6, "name": "texter", "users": 1})
        late = await self.connect("/chat/tea?history=1")
        await self.assert_receives(late, "You are connected! There are 2 users here.", "[Ann]: hi")


class Resuming(ProtocolTest):
    """Where a stream begins, and that it goes on without a hole or a repetition."""

    async def stream(self, until, **query):
        """The welcome of one who comes so, and all that follows up to its own `joined`, whose place is known."""
        member = await self.enter(target("/chat", **query))
        before, joined = await member.until(lambda event: event.get("seq") == until)
        self.assertEqual((joined["type"], joined["name"]), ("joined", member.welcome["name"]))
        return member, before

    def assert_begins(self, member, epoch, seq, recovered):
        welcome = member.welcome
        self.assertEqual((welcome["epoch"], welcome["seq"], welcome["recovered"]), (epoch, seq, recovered))

    async def test_history(self):
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One."])
        await ann.send("rename", name="Ann")
        await ann.receive()
        await self.say_and_hear(ann, ["Two.", "Three."])
        for n, (history, seq) in enumerate(((0, 5), (1, 4), (2, 3), (3, 1)), 6):
            with self.subTest(history=history):
                member, before = await self.stream(n, name=f"n{n}", history=history)
                self.assert_begins(member, ann.welcome["epoch"], seq, recovered=False)
                self.assertEqual([event["seq"] for event in before], list(range(seq + 1, n)))

    async def test_more_history_than_there_is(self):
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One.", "Two."])
        for n, history in enumerate((3, 100, 2**53), 4):
            member, before = await self.stream(n, name=f"n{n}", history=history)
            self.assertNotIn("gap", [event["type"] for event in before])
            self.assertEqual([event["text"] for event in before if event["type"] == "message"], ["One.", "Two."])
            self.assertEqual(before[0]["seq"], member.welcome["seq"] + 1)

    async def test_every_cursor(self):
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One.", "Two.", "Three."])
        epoch = ann.welcome["epoch"]
        for n, seq in enumerate((0, 1, 2, 3, 4), 5):
            with self.subTest(seq=seq):
                member, before = await self.stream(n, name=f"n{n}", since=f"{epoch}:{seq}", history=1)
                self.assert_begins(member, epoch, seq, recovered=True)
                self.assertEqual([event["seq"] for event in before], list(range(seq + 1, n)))

    async def test_cursors_that_mean_nothing(self):
        """Of another epoch, or from the future: it is a fresh join."""
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One.", "Two."])
        epoch = ann.welcome["epoch"]
        for n, since in enumerate((f"{epoch + 1}:1", f"{epoch - 1}:3", "0:0", "1:2", f"{2**53}:{2**53}",
                                   f"{epoch}:100", f"{epoch}:{2**53}"), 4):
            with self.subTest(since=since):
                member, before = await self.stream(n, name=f"n{n}", since=since)
                self.assert_begins(member, epoch, n - 1, recovered=False)
                self.assertEqual(before, [])
                self.assertEqual((await ann.receive())["name"], f"n{n}")
        member, before = await self.stream(11, name="n11", since=f"{epoch}:100", history=1)
        self.assert_begins(member, epoch, 2, recovered=False)
        self.assertEqual([event["seq"] for event in before], list(range(3, 11)))

    async def test_what_is_not_kept_is_a_gap(self):
        self.start("--history-messages=3")
        ann = await self.join("ann")
        await self.say_and_hear(ann, [str(n) for n in range(2, 12)])
        member, before = await self.stream(12, name="bob", since=f"{ann.welcome['epoch']}:4")
        self.assert_begins(member, ann.welcome["epoch"], 4, recovered=False)
        self.assertEqual(before[0], {"type": "gap", "from": 5, "to": 8})
        self.assertEqual([event["text"] for event in before[1:]], ["9", "10", "11"])
        await member.send("replay", **{"from": 5, "to": 10})
        self.assertEqual(await member.receive(), {"type": "gap", "from": 5, "to": 8})
        self.assertEqual([(await member.receive())["text"] for _ in range(2)], ["9", "10"])
        self.assertEqual(await member.receive(), {"type": "replayed", "from": 5, "to": 10})
        await member.send("replay", **{"from": 5, "to": 6})
        self.assertEqual(await member.receive(), {"type": "gap", "from": 5, "to": 6})
        self.assertEqual(await member.receive(), {"type": "replayed", "from": 5, "to": 6})

    async def test_no_history_is_kept(self):
        self.start("--history-messages=0")
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One.", "Two."])
        member, before = await self.stream(4, name="bob", since=f"{ann.welcome['epoch']}:1", history=5)
        self.assert_begins(member, ann.welcome["epoch"], 1, recovered=False)
        self.assertEqual(before, [{"type": "gap", "from": 2, "to": 3}])

    async def test_an_empty_room_is_remembered(self):
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One."])
        await self.leave(ann)
        bob = await self.join("bob")
        await self.leave(bob)
        member, before = await self.stream(6, name="ann", since=f"{ann.welcome['epoch']}:2")
        self.assertTrue(member.welcome["recovered"])
        self.assertEqual([(event["type"], event["name"]) for event in before],
                         [("left", "ann"), ("joined", "bob"), ("left", "bob")])

    async def test_a_room_may_go_with_its_last_member(self):
        """And a room of that name is another one then, however soon it begins."""
        self.start("--history-ttl=0")
        epochs, since = [], "1:1"
        for _ in range(20):
            member = await self.enter(target(name="ann", since=since))
            if member.welcome["seq"] == 0:
                self.assertFalse(member.welcome["recovered"])
                epochs.append(member.welcome["epoch"])
            since = f"{member.welcome['epoch']}:1"
            await self.leave(member)
        self.assertGreater(len(epochs), 1)
        self.assertEqual(len(set(epochs)), len(epochs))

    async def replay_all(self, member, begin, end, most=80 * KiB):
        """The loop of the page: the events from `begin` to `end`, in answers of so many bytes at most."""
        found = []
        while begin <= end:
            await member.send("replay", **{"from": begin, "to": end})
            events, replayed = await member.until(lambda event: event["type"] == "replayed")
            self.assertEqual(replayed["from"], begin)
            self.assertLess(sum(len(json.dumps(event)) for event in events), most)
            self.assertGreaterEqual(replayed["to"], begin)
            found += events
            begin = replayed["to"] + 1
        return found

    async def test_a_long_past_is_replayed_in_pieces(self):
        self.start("--outbound-limit=64KiB")
        ann = await self.join("ann")
        said = await self.say_and_hear(ann, [f"{n} " + "x" * KiB for n in range(200)])
        member, before = await self.stream(202, name="bob", since=f"{ann.welcome['epoch']}:1")
        self.assert_begins(member, ann.welcome["epoch"], 1, recovered=True)
        gap, *rest = before
        self.assertEqual((gap["type"], gap["from"]), ("gap", 2))
        self.assertEqual(rest, said[gap["to"] - 1:])
        self.assertGreater(len(rest), 20)
        self.assertEqual(await self.replay_all(member, gap["from"], gap["to"]), said[:gap["to"] - 1])

    async def test_a_message_that_is_larger_than_an_answer(self):
        self.start("--max-message-size=256KiB", "--history-bytes=16MiB")
        ann = await self.join("ann")
        said = await self.say_and_hear(ann, ["\0" * 40000, "x" * 70000, "y", "\0" * 40000])
        self.assertEqual(await self.replay_all(ann, 2, 5, 400 * KiB), said)

    async def test_answers_are_behind_the_past(self):
        self.start()
        ann = await self.join("ann")
        said = await self.say_and_hear(ann, [f"{n} " + "x" * KiB for n in range(100)])
        member = await self.enter(target(name="bob", history=100))
        await member.send("replay", **{"from": 1, "to": 1})
        before, replayed = await member.until(lambda event: event["type"] == "replayed")
        *past, joined, again = before
        self.assertEqual(past, said)
        self.assertEqual((joined["seq"], joined["name"]), (102, "bob"))
        self.assertEqual((again["seq"], again["name"]), (1, "ann"))
        self.assertEqual(replayed, {"type": "replayed", "from": 1, "to": 1})

    async def test_restart(self):
        self.start()
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["One.", "Two."])
        self.server.send_signal(signal.SIGTERM)
        await self.assert_closed(ann.connection, 1012)
        self.assertEqual(await asyncio.to_thread(self.server.wait_for_exit), 0)
        self.start()
        again = await self.enter(target(name="ann", since=f"{ann.welcome['epoch']}:2", history=10))
        self.assertEqual((again.welcome["seq"], again.welcome["recovered"]), (0, False))
        self.assertNotEqual(again.welcome["epoch"], ann.welcome["epoch"])


class LargeRooms(ProtocolTest):
    async def test_presence_is_not_announced(self):
        self.start("--announce-limit=8")
        members = [await self.join(f"n{n}") for n in range(8)]
        first = members[0]
        for n in range(1, 8):
            self.assertEqual((await first.receive())["name"], f"n{n}")
        for _ in range(2):
            members.append(await self.enter(target(name="late")))
        self.assertEqual([m.welcome["users"] for m in members[8:]], [9, 10])
        self.assertEqual(await first.receive(), {"type": "users", "users": 9})

        await first.send("users")
        self.assertEqual(await first.receive(), {"type": "users", "users": 10})
        await members[1].send("rename", name="Other")
        await members[1].until(lambda event: event["type"] == "renamed" and event["to"] == "Other")
        await members[1].send("say", text="hi")
        self.assertEqual((await first.receive())["from"], "Other")

        for member in members[6:]:  # 6 are left, less than 7/8 of 8
            await self.leave(member)
        left, users = await first.receive(), await first.receive()
        self.assertEqual((left["type"], left["name"], left["users"]), ("left", "late-2", 6))
        self.assertEqual(users, {"type": "users", "users": 6})
        await members[1].send("rename", name="n1")
        self.assertEqual((await first.receive())["to"], "n1")


class Rate(ProtocolTest):
    async def test_who_is_too_fast_is_read_slower(self):
        self.start("--rate-limit=10", "--rate-burst=10")
        hasty, calm = await self.join("hasty"), await self.join("calm")
        begun = time.monotonic()
        for n in range(30):
            await hasty.send("say", text=str(n))
        for _ in range(3):
            await calm.send("say", text="calm", id="calm")
        heard = [await calm.receive() for _ in range(33)]
        await hasty.until(lambda event: event == heard[-1])
        self.assertEqual([event["text"] for event in heard if event["from"] == "hasty"], [str(n) for n in range(30)])
        self.assertEqual([event["text"] for event in heard if event["from"] == "calm"], ["calm"] * 3)
        self.assertNotEqual(heard[-1]["from"], "calm")
        self.assertGreaterEqual(time.monotonic() - begun, 20 / 10 * 0.8)

if __name__ == "__main__":
    server_process.main()
