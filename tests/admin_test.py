"""What operators see: metrics, health and rooms on the admin listener.

Usage: python3 admin_test.py PATH_TO_CHORUS_SERVER
"""

import contextlib
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import yaml  # members.py exits where there is none

import server_process
from members import ProtocolTest
from server_process import DEADLINE, free_port, get, run_to_end


DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
DASHBOARD = json.loads((DOCS / "grafana.json").read_text("utf-8"))


def alert_expressions():
    """What alerts.yml asks Prometheus for: name of an alert -> expression."""
    alerts = yaml.safe_load((DOCS / "alerts.yml").read_text("utf-8"))
    return {rule["alert"]: rule["expr"] for group in alerts["groups"] for rule in group["rules"]}


def dashboard_expressions():
    """The same of grafana.json, by panel, with values for what Grafana replaces."""
    found = {}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            asked = target["expr"].replace("$__rate_interval", "1m").replace("$instance", "chorus:9180")
            found[f"{panel['title']} ({panel['id']}{target['refId']})"] = asked
    return found


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self._path)


class AdminTest(ProtocolTest):
    def start_observed(self, *arguments, at="127.0.0.1:0"):
        """A server with an admin listener, whose port is `self.admin` if it is one of TCP."""
        self.start(f"--admin-address={at}", *arguments)
        found = self.server.wait_for_line(r"Metrics at ([^\s\"]+)").group(1)
        self.admin = None if found.startswith("/") else int(found.rpartition(":")[2])

    def scrape(self):
        """The metrics: name with labels -> value."""
        status, text = get(self.admin, "/metrics")
        self.assertEqual(status, 200)
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def until(self, name, value):
        """Scrapes until a metric has that value, and returns all."""
        found = self.scrape()
        for _ in range(500):
            if found.get(name) == value:
                return found
            found = self.scrape()
        raise AssertionError(f"{name} is {found.get(name)}, never {value}")


class Metrics(AdminTest):
    async def test_count_what_happens(self):
        self.start_observed()
        ann, bob = await self.join("ann"), await self.join("bob")
        for text in ("One.", "Two.", "Three."):
            await ann.send("say", text=text)
        for user in (ann, bob):
            while (await user.receive()).get("text") != "Three.":
                pass
        get(self.server.port, "/nowhere")
        now = self.scrape()
        for name, value in (("chorus_messages_broadcast_total", 3), ("chorus_deliveries_total", 6),
                            ("chorus_messages_received_total", 3), ("chorus_ready", 1),
                            ('chorus_connections{dialect="json",phase="websocket"}', 2),
                            ('chorus_connections{dialect="text",phase="websocket"}', 0),
                            ('chorus_sessions_opened_total{dialect="json"}', 2),
                            ('chorus_http_responses_total{code="404"}', 1)):
            with self.subTest(metric=name):
                self.assertEqual(next((found for known, found in now.items() if same(known, name)), None), value)
        self.assertEqual(sum(value for name, value in now.items() if name.startswith("chorus_rooms")), 1)
        self.assertEqual(sum(value for name, value in now.items() if name.startswith("chorus_shard_sessions")), 2)
        self.assertGreater(now["chorus_sent_bytes_total"], 300)
        self.assertGreater(now["process_resident_memory_bytes"], 1 << 20)
        self.assertGreater(now["process_open_fds"], 5)
        await ann.connection.close()
        self.until('chorus_sessions_ended_total{reason="closed_by_peer"}', 1)

    async def test_tell_why_who_comes_is_refused(self):
        self.start_observed("--max-connections=1", "--max-rooms=1")
        await self.join("ann")
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE)
        self.addCleanup(connection.close)
        connection.sendall(b"GET /chat HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        self.assertIn(b" 503 ", connection.recv(100))
        now = self.scrape()
        self.assertEqual(now['chorus_connections_refused_total{reason="capacity"}'], 1)
        self.assertEqual(now['chorus_http_responses_total{code="503"}'], 1)

    def test_are_as_prometheus_wants_them(self):
        if shutil.which("promtool") is None:
            self.skipTest("there is no promtool here")
        self.start_observed()
        get(self.server.port, "/nowhere")
        checked = subprocess.run(["promtool", "check", "metrics"], input=get(self.admin, "/metrics")[1],
                                 capture_output=True, text=True, timeout=DEADLINE, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_are_all_documented(self):
        self.start_observed()
        documented = set(re.findall(r"`((?:chorus|process)_[a-z_]+)`", (DOCS / "operations.md").read_text("utf-8")))
        told = set(re.findall(r"^# TYPE (\S+)", get(self.admin, "/metrics")[1], re.MULTILINE))
        self.assertEqual(told - documented, set())
        self.assertEqual(documented - told, set())


class Expressions(AdminTest):
    """What the alerts and the dashboard ask for."""

    def assert_taken(self, rules):
        if shutil.which("promtool") is None:
            self.skipTest("there is no promtool here")
        checked = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True,
                                 timeout=DEADLINE, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_alerts_are_rules_of_prometheus(self):
        self.assert_taken(DOCS / "alerts.yml")

    def test_panels_ask_what_prometheus_understands(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
            asked = [{"record": "panel", "expr": expr, "labels": {"title": title}}
                     for title, expr in dashboard_expressions().items()]
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}, rules)
            rules.flush()
            self.assert_taken(rules.name)

    async def test_name_metrics_and_labels_that_are_served(self):
        self.start_observed("--max-connections=1")
        ann = await self.join("ann")
        await self.say_and_hear(ann, ["Hello!"])
        self.assertEqual((await self.answer_to("/chat"))[0], 503)
        labels = {}  # of each metric
        for sample in self.scrape():
            name, _, pairs = sample.partition("{")
            labels.setdefault(name, {"instance"}).update(re.findall(r'(\w+)="', pairs))
        for where, expr in (alert_expressions() | dashboard_expressions()).items():
            with self.subTest(where=where, expr=expr):
                named = set(re.findall(r"\b(?:chorus|process)_\w+", expr))
                self.assertTrue(named)
                self.assertLessEqual(named, labels.keys())
                for name, pairs in re.findall(r"\b((?:chorus|process)_\w+){([^}]*)}", expr):
                    self.assertLessEqual(set(re.findall(r"(\w+)=", pairs)), labels[name])
                grouped = {label for inner in re.findall(r"by \(([^)]*)\)", expr) for label in inner.split(", ")}
                self.assertLessEqual(grouped, set.union(*(labels[name] for name in named)))


class Dashboard(unittest.TestCase):
    def test_puts_each_panel_in_a_place_of_its_own(self):
        panels = DASHBOARD["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = {}
        for panel in panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
                self.assertEqual(taken.setdefault(cell, panel["id"]), panel["id"])

    def test_asks_the_chosen_source_about_the_chosen_instances(self):
        variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
        self.assertEqual(variables["datasource"]["query"], "prometheus")
        source = {"type": "prometheus", "uid": "${datasource}"}
        self.assertEqual(variables["instance"]["datasource"], source)
        for panel in DASHBOARD["panels"]:
            with self.subTest(panel=panel["title"]):
                if panel["type"] == "row":
                    continue
                self.assertEqual(panel["datasource"], source)
                self.assertIn("unit", panel["fieldConfig"]["defaults"])
                for target in panel["targets"]:
                    selected = re.findall(r"\b(?:chorus|process)_\w+({[^}]*})?", target["expr"])
                    self.assertTrue(all('instance=~"$instance"' in each for each in selected), target["expr"])


class Firewall(unittest.TestCase):
    def test_takes_the_rules_for_new_connections(self):
        rules = re.search(r"(?s)```nft\n(.*?)```", (DOCS / "operations.md").read_text("utf-8")).group(1)
        # In a network of its own it needs no rights and changes nothing.
        alone = ["unshare", "--map-root-user", "--net"]
        if shutil.which("nft") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
            self.skipTest("there is no nft here, or no network of our own to be had")
        checked = subprocess.run([*alone, "nft", "-c", "-f", "-"], input=rules, capture_output=True, text=True,
                                 timeout=DEADLINE, check=False)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))


def same(one, other):
    """True if both name one metric, in whatever order their labels are."""
    return sorted(re.split("[{},]", one)) == sorted(re.split("[{},]", other))


class Rooms(AdminTest):
    async def test_are_listed_with_what_happens_in_them(self):
        self.start_observed()
        ann = await self.join("ann", "/chat/tea")
        await self.join("bob", "/chat/quiet")
        await ann.send("say", text="Hello!")
        await ann.receive()
        status, text = get(self.admin, "/rooms")
        told = json.loads(text)
        self.assertEqual((status, told["count"]), (200, 2))
        found = {room["name"]: room for room in told["rooms"]}
        self.assertEqual((found["tea"]["users"], found["tea"]["messages"], found["quiet"]["messages"]), (1, 1, 0))
        self.assertGreaterEqual(found["tea"]["seq"], 2)
        self.assertIn("messages_per_second", found["tea"])


class Listener(AdminTest):
    def test_says_how_the_server_is(self):
        self.start_observed("--drain-delay=1h")
        self.assertEqual(get(self.admin, "/healthz"), (200, "ok\n"))
        self.assertEqual(get(self.admin, "/readyz"), (200, "ok\n"))
        self.server.send_signal(signal.SIGTERM)
        found = self.until("chorus_ready", 0)
        self.assertEqual(get(self.admin, "/readyz")[0], 503)
        self.assertEqual(get(self.admin, "/healthz")[0], 200)
        self.assertEqual(found["chorus_ready"], 0)

    def test_answers_nothing_else(self):
        self.start_observed()
        self.assertEqual(get(self.admin, "/chat")[0], 404)
        self.assertEqual(get(self.server.port, "/metrics")[0], 404)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.admin, timeout=DEADLINE)) as connection:
            connection.request("POST", "/metrics", b"x")
            self.assertEqual(connection.getresponse().status, 405)
        for rubbish in (b"\0" * 100, b"GET", b"GET /metrics HTTP/1.1\r\n" + b"a: b\r\n" * 5000):
            with contextlib.closing(socket.create_connection(("127.0.0.1", self.admin), DEADLINE)) as connection:
                connection.sendall(rubbish)
        self.assertEqual(get(self.admin, "/healthz")[0], 200)

    def test_lets_go_who_was_silent_longest(self):
        self.start_observed()
        many = [socket.create_connection(("127.0.0.1", self.admin), DEADLINE) for _ in range(17)]
        for one in many:
            self.addCleanup(one.close)
        self.assertEqual(many[0].recv(1), b"")
        self.assertEqual(get(self.admin, "/healthz")[0], 200)

    def test_may_be_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "admin.sock")
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as abandoned:
                abandoned.bind(path)
            self.start_observed(at=path)
            with contextlib.closing(UnixConnection(path)) as connection:
                connection.request("GET", "/healthz")
                self.assertEqual(connection.getresponse().status, 200)
            taken = run_to_end("--port=0", f"--admin-address={path}")
            self.assertEqual(taken.returncode, 1)
            self.assertIn(f"cannot listen on {path} for --admin-address: Address already in use", taken.stderr)
            self.server.send_signal(signal.SIGTERM)
            self.server.wait_for_exit()
            self.assertFalse(os.path.exists(path))

    def test_says_what_is_wrong_with_its_address(self):
        for wrong in ("127.0.0.1", "9180", "::1:9180", "[127.0.0.1]:9180", "127.0.0.1:99999", "localhost:9180",
                      "127.0.0.1:9180x", "/" + "x" * 200):
            with self.subTest(address=wrong):
                result = run_to_end("--port=0", f"--admin-address={wrong}")
                self.assertEqual(result.returncode, 2)
                self.assertIn("admin-address", result.stderr)
        port = free_port()
        with contextlib.closing(socket.create_server(("127.0.0.1", port))):
            result = run_to_end("--port=0", f"--admin-address=127.0.0.1:{port}")
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"cannot listen on 127.0.0.1:{port} for --admin-address", result.stderr)


if __name__ == "__main__":
    server_process.main()
