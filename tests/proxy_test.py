"""The server behind proxies: the configurations of docs/proxies.md as they stand there, in real proxies, and
the PROXY protocol on raw sockets.

Usage: python3 proxy_test.py PATH_TO_CHORUS_SERVER
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import unittest

import server_process
from server_process import DEADLINE, ServerTest, free_port, get, wait_until_responding

DOCUMENT = pathlib.Path(__file__).parent.parent / "docs" / "proxies.md"
TEXT, PING, PONG = 0x1, 0x9, 0xA
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = ("GET /chat HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def snippet(heading):
    """The fenced block below a heading of the document."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1]
    return re.search(r"(?ms)^```\w+\n(.*?)^```$", section).group(1)


def proxy_header(client, command=0x21, family=0x11, extensions=b""):
    """Version 2, for a client's IPv4 address and port 4567."""
    addresses = socket.inet_aton(client) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 4567, 80) + extensions
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses)) + addresses


class Connection(contextlib.AbstractContextManager):
    """A request for a WebSocket from some address of this machine, after `before`; `status` is None if the connection
    is closed instead."""

    def __init__(self, port, source="127.0.0.1", headers=(), before=b""):
        self._socket = socket.create_connection(("127.0.0.1", port), DEADLINE, (source, 0))
        self._input = self._socket.makefile("rb")
        lines = "".join(f"{header}\r\n" for header in (f"Origin: http://127.0.0.1:{port}", *headers))
        request = REQUEST.format(host=f"127.0.0.1:{port}") + lines + "\r\n"
        self.status = None
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(before + request.encode())
            if line := self._input.readline():
                self.status = int(line.split()[1])
                while self._input.readline().strip():
                    pass

    def __exit__(self, *_):
        self._input.close()
        self._socket.close()

    def send(self, payload, opcode=TEXT):
        size = len(payload)
        if size < 126:
            header = struct.pack("!BB4x", 0x80 | opcode, 0x80 | size)
        else:
            header = struct.pack("!BBH4x", 0x80 | opcode, 0x80 | 126, size)
        self._socket.sendall(header + payload)

    def receive(self):
        """The next frame, as (opcode, payload)."""
        opcode, size = self._input.read(2)
        if size == 126:
            size = struct.unpack("!H", self._input.read(2))[0]
        return opcode & 0xF, self._input.read(size)

    def receive_until(self, opcode, part):
        """Reads on to a frame of this kind that has this part; answers pings."""
        while True:
            got, payload = self.receive()
            if got == PING:
                self.send(payload, PONG)
            if got == opcode and part in payload:
                return


class Proxied(ServerTest):
    """A proxy from the document before a server that believes it. It comes from 127.0.0.1, clients from elsewhere."""

    def start_behind(self, heading, program, arguments, prepare=lambda text, folder: text):
        path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if path is None:
            self.skipTest(f"there is no {program}")
        server = self.start("--trusted-proxy=127.0.0.1", "--max-connections-per-address=1", "--ping-interval=500ms")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        port = free_port()
        text = snippet(heading)
        for old, new in (("127.0.0.1:8080", f"127.0.0.1:{server.port}"), (":80", f":{port}")):
            self.assertEqual(len(re.findall(re.escape(old) + r"\b", text)), 1, old)
            text = re.sub(re.escape(old) + r"\b", new, text)
        file = pathlib.Path(folder.name, "configuration")
        file.write_text(prepare(text, folder.name), encoding="utf-8")
        output = tempfile.TemporaryFile()
        self.addCleanup(output.close)
        process = subprocess.Popen([path, *[a.format(file=file, folder=folder.name) for a in arguments]], stdout=output,
                                   stderr=output, env={**os.environ, "HOME": folder.name})
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        try:
            wait_until_responding(port)
        except AssertionError as why:
            raise AssertionError(f"{why}: {os.pread(output.fileno(), 1 << 16, 0).decode()}") from None
        return server, port

    def check(self, server, port):
        self.assertIn("<!doctype html>", get(port, "/")[1].lower())
        with Connection(port, "127.0.0.2") as one, Connection(port, "127.0.0.3") as other:
            self.assertEqual((one.status, other.status), (101, 101))
            for client in ("127.0.0.2", "127.0.0.3"):
                server.wait_for_line(rf"joined .*address={re.escape(client)}\b")
            # The limit is each client's, whatever it says of itself.
            for said in ("X-Forwarded-For: 127.0.0.77", "Forwarded: for=127.0.0.77", "X-Forwarded-For: \"127.0.0.77"):
                with Connection(port, "127.0.0.2", [said]) as again:
                    self.assertEqual(again.status, 503)
            self.assertNotIn("127.0.0.77", "\n".join(server.log()))
            big = b"x" * 60000
            one.send(big)
            other.receive_until(TEXT, big)
            # Several pings without a word.
            for _ in range(3):
                one.receive_until(PING, b"")
                other.receive_until(PING, b"")
            other.send(b"still here")
            one.receive_until(TEXT, b"still here")

    def test_nginx(self):
        def wrap(text, folder):
            paths = "".join(f"{kind}_temp_path {folder}/{kind}; "
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            return (f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
                    f"http {{ access_log off; {paths}\n{text}}}\n")

        self.check(*self.start_behind("nginx", "nginx", ["-c", "{file}", "-p", "{folder}", "-e", "stderr"], wrap))

    def test_haproxy_with_headers(self):
        self.check(*self.start_behind("HAProxy, with headers", "haproxy", ["-db", "-f", "{file}"]))

    def test_haproxy_with_the_proxy_protocol(self):
        self.check(*self.start_behind("HAProxy, with the PROXY protocol", "haproxy", ["-db", "-f", "{file}"]))

    def test_caddy(self):
        self.check(*self.start_behind(
            "Caddy", "caddy", ["run", "--adapter", "caddyfile", "--config", "{file}"],
            lambda text, _: "{\n    admin off\n}\n" + text))


class ProxyProtocol(ServerTest):
    def test_a_header_says_who_the_client_is(self):
        server = self.start("--trusted-proxy=127.0.0.0/30", "--max-connections-per-address=1")
        with Connection(server.port, before=proxy_header("192.0.2.7", extensions=b"\x04\0\x02ab")) as one:
            self.assertEqual(one.status, 101)
            server.wait_for_line(r"joined .*address=192\.0\.2\.7:4567 ")
            with Connection(server.port, before=proxy_header("192.0.2.7")) as again:
                self.assertEqual(again.status, 503)
            with Connection(server.port, before=proxy_header("192.0.2.8")) as other:
                self.assertEqual(other.status, 101)

    def test_a_proxy_may_speak_for_itself(self):
        server = self.start("--trusted-proxy=127.0.0.1", "--max-connections-per-address=1")
        with Connection(server.port, before=proxy_header("192.0.2.7", command=0x20)) as one, \
                Connection(server.port) as other:
            self.assertEqual((one.status, other.status), (101, 101))
            server.wait_for_line(r"joined .*address=127\.0\.0\.1:")

    def test_headers_count_from_a_trusted_proxy_only(self):
        server = self.start("--trusted-proxy=127.0.0.1")
        said = ["X-Forwarded-For: 192.0.2.1, 192.0.2.9"]
        with Connection(server.port, "127.0.0.1", said), Connection(server.port, "127.0.0.2", said):
            server.wait_for_line(r"joined .*address=192\.0\.2\.9 ")
            server.wait_for_line(r"joined .*address=127\.0\.0\.2:")

    def test_a_place_is_given_back(self):
        server = self.start("--trusted-proxy=127.0.0.1", "--max-connections-per-address=1")
        for _ in range(2):
            with Connection(server.port, headers=["Forwarded: for=192.0.2.7"]) as one:
                self.assertEqual(one.status, 101)
            server.wait_for_line(r"closed .*address=192\.0\.2\.7 ")

    def test_an_untrusted_peer_sends_no_http(self):
        server = self.start("--trusted-proxy=127.0.0.1")
        with Connection(server.port, "127.0.0.2", before=proxy_header("192.0.2.7")) as one:
            self.assertEqual(one.status, 400)

    def test_a_wrong_header_is_refused_and_logged(self):
        server = self.start("--trusted-proxy=127.0.0.1")
        for wrong, reason in (
                (b"PROXY TCP4 192.0.2.7 127.0.0.1 4567 80\r\n", "it is of version 1"),
                (b"PROXY UNKNOWN\r\n", "it is of version 1"),
                (proxy_header("192.0.2.7", command=0x31), "expected version 2"),
                (proxy_header("192.0.2.7", command=0x22), "LOCAL or PROXY"),
                (proxy_header("192.0.2.7", family=0x21), "too short for its addresses"),
                (proxy_header("192.0.2.7", extensions=bytes(4096)), "longer than 4096"),
                (b"\r\nGET / HTTP/1.1\r\n", "expected the signature")):
            with self.subTest(reason), Connection(server.port, before=wrong) as one:
                self.assertIsNone(one.status)
                server.wait_for_line(rf"wrong_proxy_header address=127\.0\.0\.1:\d+ reason=\"[^\"]*{reason}")

    def test_half_a_header(self):
        server = self.start("--trusted-proxy=127.0.0.1", "--handshake-timeout=300ms")
        for size in (1, 15, 20):
            with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as stalled:
                stalled.sendall(proxy_header("192.0.2.7")[:size])
                self.assertEqual(stalled.recv(1), b"")
        server.wait_for_line("wrong_proxy_header .*not complete in time")
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as ended:
            ended.sendall(proxy_header("192.0.2.7")[:20])
            ended.shutdown(socket.SHUT_WR)
            self.assertEqual(ended.recv(1), b"")
        server.wait_for_line("wrong_proxy_header .*it ends too early")

    def test_in_pieces(self):
        server = self.start("--trusted-proxy=127.0.0.1")
        header = proxy_header("192.0.2.7")
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as slow:
            slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in header + b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n":
                slow.sendall(bytes([byte]))
            self.assertTrue(slow.recv(100).startswith(b"HTTP/1.1 200"))

    def test_a_network_that_is_none(self):
        for wrong in ("10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "localhost", "::1/129", "10.0.0.0/-1"):
            with self.subTest(wrong):
                result = server_process.run_to_end(f"--trusted-proxy={wrong}")
                self.assertEqual(result.returncode, 2)
                self.assertIn("expected an IP address or a network", result.stderr)


if __name__ == "__main__":
    server_process.main()
