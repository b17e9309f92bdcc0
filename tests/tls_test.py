"""TLS of the running server, as a scan would check it and as people use it, and the client over wss.

The tests have an authority of their own: a root, an authority between, and what that one signs.

Usage: python3 tls_test.py PATH_TO_CHORUS_SERVER PATH_TO_CHORUS_CLIENT
"""

import asyncio
import contextlib
import datetime
import functools
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
import typing

import server_process
from foreign_client_test import ForeignClientTest  # exits where there is no package `websockets`
from program_test import SERVICE_RESTART, TEXT, RawWebSocket
from proxy_test import proxy_header
from server_process import DEADLINE, ServerTest, get, run_to_end

if not shutil.which("openssl"):
    print("skipped: there is no command `openssl`")
    sys.exit(77)

KiB = 1024
NORMAL = 1000
CANNOT_CONNECT, BAD_USAGE = 1, 2  # exit codes of the client

client = None  # the path of chorus-client; main sets it
authority = None


def openssl(*arguments, text="", check=True):
    """Runs the command `openssl`, and returns what it has written."""
    return subprocess.run(["openssl", *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=DEADLINE, check=check).stdout


class Certificate(typing.NamedTuple):
    """PEM files of a server."""
    chain: str
    key: str

    def options(self):
        return ["--tls-address=127.0.0.1:0", f"--tls-certificate={self.chain}", f"--tls-key={self.key}"]

    def end(self):
        """When it ends, as the server's log writes it."""
        line = openssl("x509", "-in", self.chain, "-noout", "-enddate", "-dateopt", "iso_8601")
        return line.strip().removeprefix("notAfter=").replace(" ", "T")


class Authority:
    """Signs certificates, in a folder of its own."""

    EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    RSA = ("-newkey", "rsa:2048")
    # What a strict client asks for (RFC 5280 section 4.2.1), as Python does from 3.13 on.
    OF_AUTHORITIES = ("-addext", "basicConstraints = critical, CA:true", "-addext", "keyUsage = critical, keyCertSign",
                      "-addext", "subjectKeyIdentifier = hash")
    KNOWS_ITS_ISSUER = "authorityKeyIdentifier = keyid"
    CONFIGURATION = textwrap.dedent("""\
        [req]
        distinguished_name = names
        [names]
        commonName = supplied
        [ca]
        policy = names
        copy_extensions = copy
        database = {0}/index
        new_certs_dir = {0}
        default_md = sha256
        rand_serial = yes
        unique_subject = no
        """)

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.path("configuration").write_text(self.CONFIGURATION.format(self.folder), encoding="utf-8")
        self.path("index").touch()
        self.root = str(self.path("root.pem"))
        self.path("of_all").write_text(self.KNOWS_ITS_ISSUER + "\n", encoding="utf-8")
        self._request("root", "-x509", "-out", self.root, *self.OF_AUTHORITIES)
        self._request("between", "-x509", "-out", self.path("between.pem"), "-CA", self.root, "-CAkey",
                      self.path("root.key"), *self.OF_AUTHORITIES, "-addext", self.KNOWS_ITS_ISSUER)
        self.good = self.sign("good")
        self.renewed = self.sign("renewed", days=2)

    def path(self, name):
        return self.folder / name

    def _request(self, name, *arguments, key=EC):
        openssl("req", "-config", self.path("configuration"), *key, "-nodes", "-keyout", self.path(f"{name}.key"),
                "-subj", f"/CN={name}", *arguments)

    def sign(self, name, names="DNS:localhost, IP:127.0.0.1", days=1, key=EC):
        """A certificate for those names, with what leads from it to the root."""
        request, chain = self.path(f"{name}.request"), self.path(f"{name}.pem")
        self._request(name, "-new", "-out", request, "-addext", f"subjectAltName = {names}", key=key)
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (f"{time:%Y%m%d%H%M%SZ}" for time in sorted((now, now + datetime.timedelta(days))))
        openssl("ca", "-batch", "-notext", "-name", "ca", "-config", self.path("configuration"), "-in", request, "-out",
                chain, "-cert", self.path("between.pem"), "-keyfile", self.path("between.key"), "-startdate", begin,
                "-enddate", end, "-extfile", self.path("of_all"))
        with open(chain, "a", encoding="utf-8") as leaf:
            leaf.write(self.path("between.pem").read_text(encoding="utf-8"))
        return Certificate(str(chain), str(self.path(f"{name}.key")))

    @functools.cached_property
    def rsa(self):
        """A good one with a key of another kind."""
        return self.sign("rsa", key=self.RSA)

    def end(self):
        self._folder.cleanup()


def setUpModule():
    global authority
    authority = Authority()


def tearDownModule():
    authority.end()


def trust(**settings):
    """What a client of ours asks of TLS: the test's root and nothing else, and a proper end. `settings` are attributes
    of the context."""
    context = ssl.create_default_context(cafile=authority.root)
    # Python takes a mere end of the stream for a proper one.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def distrust():
    """As `trust`, but any certificate will do."""
    return trust(check_hostname=False, verify_mode=ssl.CERT_NONE)


def secure(connected, context=None, **how):
    """TLS on a connected socket. Reading fails where the peer ends without close_notify."""
    return (context or trust()).wrap_socket(connected, server_hostname="localhost", suppress_ragged_eofs=False, **how)


def connect_plainly(port):
    return socket.create_connection(("127.0.0.1", port), DEADLINE)


def connect(port, context=None, **how):
    return secure(connect_plainly(port), context, **how)


def chat(port, **how):
    """A WebSocket in the lobby."""
    return RawWebSocket(port, connected=connect(port), **how)


def ask(connection, path="/healthz", *headers):
    """A request, and its answer up to an empty body or the server's end."""
    lines = (f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", "")
    connection.sendall("\r\n".join(lines).encode())
    return connection.recv(64 * KiB).decode()


def name_of(connection):
    """Whose certificate the server has shown."""
    return dict(pair for entry in connection.getpeercert()["subject"] for pair in entry)["commonName"]


class TlsTest(ServerTest):
    def start_tls(self, *arguments, certificate=None):
        """A server that is ready; `server.tls_port` is where it speaks TLS."""
        server = self.start("--address=127.0.0.1", "--log-level=debug", *(certificate or authority.good).options(),
                            *arguments)
        server.tls_port = int(server.wait_for_line(r"Responding at https://127\.0\.0\.1:(\d+)\b").group(1))
        return server

    def assert_serves(self, server, context=None):
        with connect(server.tls_port, context) as connection:
            self.assertRegex(ask(connection), r"^HTTP/1\.1 200 ")


# The first message of a handshake (RFC 5246 section 7.4.1.2), byte by byte: no library of today would say all of that.

HANDSHAKE, ALERT = 22, 21
HANDSHAKE_FAILURE, PROTOCOL_VERSION, INAPPROPRIATE_FALLBACK, NO_APPLICATION_PROTOCOL = 40, 70, 86, 120
SSL_3, TLS_1_0, TLS_1_1, TLS_1_2 = range(0x300, 0x304)
FALLBACK = 0x5600  # RFC 7507
DEFLATE, NO_COMPRESSION = 1, 0
GROUPS, SIGNATURES, PROTOCOLS = 10, 13, 16
SECURE_RENEGOTIATION = bytes([0xFF, 0x01, 0, 1, 0])  # RFC 5746 section 3.2

STRONG = {"ECDSA": {0xC02B, 0xC02C, 0xCCA9}, "RSA": {0xC02F, 0xC030, 0xCCA8}}
WEAK = {
    "CBC": {0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028},
    "RSA key exchange": {0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D},
    "finite fields": {0x0033, 0x0039, 0x0067, 0x006B, 0x009E, 0x009F, 0xCCAA},
    "3DES": {0x000A, 0x0016, 0xC008, 0xC012},
    "RC4": {0x0004, 0x0005, 0xC007, 0xC011},
    "export": {0x0003, 0x0006, 0x0008, 0x0014},
    "no encryption": {0x0001, 0x0002, 0x003B, 0xC006, 0xC010},
    "anonymous": {0x0018, 0x0034, 0x006C, 0x00A6, 0x00A7, 0xC018, 0xC019},
    "shared secret": {0x008C, 0x00A8, 0xC035, 0xCCAC},
}


def client_hello(version, ciphers, compressions=(NO_COMPRESSION,), protocols=()):
    def sized(data, bytes_of_size=2):
        return len(data).to_bytes(bytes_of_size, "big") + data

    def numbers(values):
        return sized(b"".join(struct.pack("!H", value) for value in values))

    extensions = (SECURE_RENEGOTIATION + bytes([0, GROUPS]) + sized(numbers([0x001D, 0x0017])) +
                  bytes([0, SIGNATURES]) + sized(numbers([0x0403, 0x0804, 0x0401])))
    if protocols:
        extensions += bytes([0, PROTOCOLS]) + sized(sized(b"".join(sized(protocol, 1) for protocol in protocols)))
    body = (struct.pack("!H32xB", version, 0) + numbers(ciphers) + sized(bytes(compressions), 1) + sized(extensions))
    return struct.pack("!BH", HANDSHAKE, TLS_1_0) + sized(b"\x01" + sized(body, 3))


class Hello(typing.NamedTuple):
    """What the server has agreed to."""
    version: int
    cipher: int
    compression: int
    extensions: bytes


def answer_to(server, *hello, **rest):
    """The server's Hello to what `client_hello` makes, or the number of its fatal alert."""
    with connect_plainly(server.tls_port) as connection, connection.makefile("rb") as answer:
        connection.sendall(client_hello(*hello, **rest))
        kind, _, size = struct.unpack("!BHH", answer.read(5))
        data = answer.read(size)
        if kind == ALERT:
            assert data[0] == 2, data
            assert answer.read() == b""
            return data[1]
    assert (kind, data[0]) == (HANDSHAKE, 2), (kind, data)
    version, session_size = struct.unpack_from("!H32xB", data, 4)
    return Hello(version, *struct.unpack_from("!HB", data, 39 + session_size), data[42 + session_size:])


class Handshake(TlsTest):
    """Versions, ciphers, certificates, protocols."""

    def test_versions_1_2_and_1_3_work(self):
        server = self.start_tls()
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with connect(server.tls_port, trust(minimum_version=version, maximum_version=version)) as connection:
                self.assertEqual(connection.version(), name)
                self.assertRegex(ask(connection), r"^HTTP/1\.1 200 ")
        with connect(server.tls_port) as connection:
            self.assertEqual(connection.version(), "TLSv1.3")

    def test_older_versions_are_refused(self):
        server = self.start_tls()
        everything = sorted(set().union(*STRONG.values(), *WEAK.values()))
        # SSL 3 has no alert of that name.
        for version, alert in ((SSL_3, HANDSHAKE_FAILURE), (TLS_1_0, PROTOCOL_VERSION), (TLS_1_1, PROTOCOL_VERSION)):
            self.assertEqual(answer_to(server, version, everything), alert)
        self.assertEqual(answer_to(server, TLS_1_2, everything).version, TLS_1_2)

    def test_nobody_between_can_talk_it_down(self):
        server = self.start_tls()
        ciphers = [*STRONG["ECDSA"], FALLBACK]
        self.assertEqual(answer_to(server, TLS_1_2, ciphers), INAPPROPRIATE_FALLBACK)

    def test_ciphers(self):
        for kind, certificate in (("ECDSA", authority.good), ("RSA", authority.rsa)):
            strong = STRONG[kind]
            server = self.start_tls(certificate=certificate)
            for cipher in strong:
                self.assertEqual(answer_to(server, TLS_1_2, [cipher]).cipher, cipher)
            for weakness, ciphers in WEAK.items():
                with self.subTest(key=kind, weakness=weakness):
                    for cipher in ciphers:
                        self.assertEqual(answer_to(server, TLS_1_2, [cipher]), HANDSHAKE_FAILURE, hex(cipher))
                    mixed = [*ciphers, min(strong)]
                    self.assertEqual(answer_to(server, TLS_1_2, mixed).cipher, min(strong))

    def test_nothing_is_compressed(self):
        server = self.start_tls()
        hello = answer_to(server, TLS_1_2, STRONG["ECDSA"], compressions=(DEFLATE, NO_COMPRESSION))
        self.assertEqual(hello.compression, NO_COMPRESSION)
        with connect(server.tls_port) as connection:
            self.assertIsNone(connection.compression())

    def test_nothing_is_negotiated_again(self):
        server = self.start_tls()
        self.assertIn(SECURE_RENEGOTIATION, answer_to(server, TLS_1_2, STRONG["ECDSA"]).extensions)
        output = openssl("s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-tls1_2", "-msg", text="R\n",
                         check=False)
        self.assertIn("\nRENEGOTIATING\n", output)
        self.assertRegex(output, r"(?m)^<<< TLS 1\.2, Alert \[length 0002\], warning no_renegotiation$")
        after = output.partition("\nRENEGOTIATING\n")[2]
        self.assertNotIn("ServerHello", after)
        self.assert_serves(server)

    def test_keys_may_change_on_the_way(self):
        server = self.start_tls()
        with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-tls1_3", "-msg"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as peer:
            def read_to(end):
                lines = []
                while not lines or not re.search(end, lines[-1]):
                    lines.append(peer.stdout.readline())
                    self.assertTrue(lines[-1], lines)
                return b"".join(lines)

            for command in (b"k", b"K", b"K"):
                peer.stdin.write(command + b"\n")
                peer.stdin.flush()
                read_to(rb"^>>> TLS 1\.3, Handshake .* KeyUpdate$")
                peer.stdin.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                peer.stdin.flush()
                answer = read_to(rb"^HTTP/1\.1 200 ")
                self.assertEqual(b"<<< TLS 1.3, Handshake [length 0005], KeyUpdate" in answer, command == b"K")
            peer.kill()

    def test_the_whole_chain_is_sent(self):
        server = self.start_tls()
        output = openssl("s_client", "-connect", f"localhost:{server.tls_port}", "-CAfile", authority.root,
                         "-verify_hostname", "localhost", "-verify_return_error", "-showcerts")
        self.assertIn("\nVerification: OK\n", output)
        self.assertEqual(re.findall(r"(?m)^ +\d s:CN ?= ?(\w+)$", output), ["good", "between"])
        with trust().wrap_socket(connect_plainly(server.tls_port), server_hostname="127.0.0.1") as by_address:
            self.assertEqual(name_of(by_address), "good")

    def test_of_the_protocols_offered_only_http_1_1_will_do(self):
        server = self.start_tls()
        for offered, chosen in ((["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "http/1.1"), (None, None)):
            context = trust()
            if offered:
                context.set_alpn_protocols(offered)
            with connect(server.tls_port, context) as connection:
                self.assertEqual(connection.selected_alpn_protocol(), chosen)
                self.assertRegex(ask(connection), r"^HTTP/1\.1 200 ")
        for offered in ([b"h2"], [b"h2", b"http/1.0"], [b"http/1.10"]):
            self.assertEqual(answer_to(server, TLS_1_2, STRONG["ECDSA"], protocols=offered), NO_APPLICATION_PROTOCOL)


class End(TlsTest):
    """How a connection ends: with close_notify on either side."""

    def test_an_answer_that_is_the_last(self):
        server = self.start_tls()
        with connect(server.tls_port) as connection:
            self.assertRegex(ask(connection, "/healthz", "Connection: close"), r"^HTTP/1\.1 200 ")
            self.assertEqual(connection.recv(1), b"")

    def test_an_error_in_http(self):
        server = self.start_tls()
        with connect(server.tls_port) as connection:
            connection.sendall(b"GET\r\n\r\n")
            self.assertRegex(connection.recv(KiB), rb"^HTTP/1\.1 400 ")
            self.assertEqual(connection.recv(1), b"")

    def test_the_closing_handshake(self):
        server = self.start_tls()
        with chat(server.tls_port) as peer:
            self.assertEqual(peer.receive()[0], TEXT)
            peer.send_close(NORMAL)
            self.assertEqual(peer.receive_close(), NORMAL)
            self.assertIsNone(peer.receive())

    def test_who_breaks_the_protocol(self):
        server = self.start_tls()
        with chat(server.tls_port) as peer:
            self.assertEqual(peer.receive()[0], TEXT)
            peer.send(0x3, b"no such opcode")
            self.assertEqual(peer.receive_close(), 1002)
            self.assertIsNone(peer.receive())

    def test_a_peer_that_says_it_first(self):
        server = self.start_tls()
        with connect(server.tls_port) as connection:
            ask(connection)
            connection.unwrap().close()
        connection = connect(server.tls_port)
        with RawWebSocket(server.tls_port, connected=connection) as peer:
            self.assertEqual(peer.receive()[0], TEXT)
            connection.unwrap().close()
            server.wait_for_line(r" closed name=user0 ")

    def test_a_peer_that_goes_without_it(self):
        server = self.start_tls()
        for number in range(2):
            connection = connect(server.tls_port)
            with RawWebSocket(server.tls_port, connected=connection) as peer:
                self.assertEqual(peer.receive()[0], TEXT)
                if number == 1:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.wait_for_line(rf" closed name=user{number} ")
        self.assert_serves(server)

    def test_the_server_stops(self):
        server = self.start_tls("--threads=3")
        with contextlib.ExitStack() as connections:
            idle = connections.enter_context(connect(server.tls_port))
            ask(idle)
            in_handshake = connections.enter_context(connect_plainly(server.tls_port))
            in_handshake.sendall(client_hello(TLS_1_2, STRONG["ECDSA"])[:20])
            peers = [connections.enter_context(chat(server.tls_port)) for _ in range(6)]
            for peer in peers:
                self.assertEqual(peer.receive()[0], TEXT)
            server.send_signal(signal.SIGTERM)
            for peer in peers:
                self.assertEqual(peer.receive_close(), SERVICE_RESTART)
                peer.send_close(SERVICE_RESTART)
                self.assertIsNone(peer.receive())
            self.assertEqual(idle.recv(1), b"")
            self.assertEqual(in_handshake.recv(1), b"")
            self.assertEqual(server.wait_for_exit(), 0)


class Misuse(TlsTest):
    """What comes to the port and is not TLS, or not in time."""

    def test_does_no_harm(self):
        server = self.start_tls("--admin-address=127.0.0.1:0")
        admin = int(server.wait_for_line(r"Metrics at 127\.0\.0\.1:(\d+)\b").group(1))
        hello = client_hello(TLS_1_2, STRONG["ECDSA"])
        for number, (rubbish, reason) in enumerate((
                (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http request"),
                (b"CONNECT a:1 HTTP/1.1\r\n\r\n", "https proxy request"),
                (bytes(100), "wrong version number"),
                (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
                (b"\xff" * 70000, ""),
                (hello[:9] + b"\xff" * (len(hello) - 9), ""),
                (struct.pack("!BHHI", HANDSHAKE, TLS_1_2, 4, 0x01FFFFFF), ""),
                (struct.pack("!BHHBB", ALERT, TLS_1_2, 2, 2, 80), "")), 1):
            with self.subTest(rubbish=rubbish[:20]):
                with connect_plainly(server.tls_port) as peer, contextlib.suppress(ConnectionError):
                    address = "{}:{}".format(*peer.getsockname())
                    peer.sendall(rubbish)
                    while peer.recv(KiB):
                        pass
                line = rf' debug +tls_handshake_failed address={re.escape(address)} reason=".*{reason}.*"$'
                server.wait_for_line(line)
                self.assert_serves(server)
            self.assertIn(f'\nchorus_connections_refused_total{{reason="tls"}} {number}\n', get(admin, "/metrics")[1])

    def test_a_peer_that_vanishes(self):
        server = self.start_tls()
        hello = client_hello(TLS_1_2, STRONG["ECDSA"])
        for begun in (hello[:20], hello):
            with connect_plainly(server.tls_port) as peer:
                address = "{}:{}".format(*peer.getsockname())
                peer.sendall(begun)
                if begun == hello:
                    peer.recv(1)  # the rest is not read: closing it resets the connection
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            server.wait_for_line(f'tls_handshake_failed address={re.escape(address)} reason="Connection reset by peer"')
        self.assert_serves(server)

    def test_who_says_nothing_is_no_failure(self):
        server = self.start_tls()
        hello = client_hello(TLS_1_2, STRONG["ECDSA"])
        for begun in (b"", hello[:20], hello):
            with connect_plainly(server.tls_port) as peer:
                peer.sendall(begun)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(KiB):
                    pass
        self.assert_serves(server)
        self.assertNotIn("tls_handshake_failed", "\n".join(server.log()))

    def test_a_handshake_that_stalls_is_cut(self):
        server = self.start_tls("--handshake-timeout=300ms")
        hello = client_hello(TLS_1_2, STRONG["ECDSA"])
        for begun in (b"", hello[:20], hello):
            since = time.monotonic()
            with self.subTest(bytes=len(begun)), connect_plainly(server.tls_port) as peer:
                address = "{}:{}".format(*peer.getsockname())
                peer.sendall(begun)
                while peer.recv(64 * KiB):
                    pass
                self.assertTrue(0.3 <= time.monotonic() - since < DEADLINE)
                server.wait_for_line(rf'failed address={re.escape(address)} reason="it was not complete in time"')
        self.assert_serves(server)

    def test_a_handshake_that_drips_is_cut(self):
        server = self.start_tls("--handshake-timeout=300ms")
        since = time.monotonic()
        with connect_plainly(server.tls_port) as peer:
            with contextlib.suppress(ConnectionError):
                for byte in client_hello(TLS_1_2, range(1, 1000)):
                    peer.sendall(bytes([byte]))
                    if select.select([peer], [], [], 0.02)[0]:
                        self.assertEqual(peer.recv(1), b"")
                        break
            self.assertTrue(0.3 <= time.monotonic() - since < DEADLINE)

    def test_handshake_and_request_have_one_deadline(self):
        server = self.start_tls("--handshake-timeout=3s")
        with connect_plainly(server.tls_port) as plain:
            self.assertEqual(select.select([plain], [], [], 1.5)[0], [])
            with secure(plain) as connection:
                since = time.monotonic()
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(connection.recv(KiB), b"")
                self.assertLess(time.monotonic() - since, 2.9)  # its own would be 3 s


class Configuration(TlsTest):
    """What the server is started with."""

    def check(self, *arguments, code, says):
        for check_only in ([], ["--check-config"]):
            with self.subTest(arguments=arguments, check_only=check_only):
                result = run_to_end("--port=0", "--address=127.0.0.1", "--max-connections=100", *arguments, *check_only)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertRegex(result.stderr, r"\Achorus-server: [^\n]+\n\Z")
                self.assertIn(says, result.stderr)

    def test_options_go_together(self):
        complete = authority.good.options()
        for missing in range(3):
            self.check(*complete[:missing], *complete[missing + 1:], code=2, says="go together: all of them, or none")

    def test_address_that_is_none(self):
        for address in ("localhost:8443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:8443", "8443"):
            self.check(f"--tls-address={address}", *authority.good.options()[1:], code=2,
                       says=f"--tls-address: '{address}' will not do: expected an address and port such as")

    def test_files_that_will_not_do(self):
        good = authority.good
        text, encrypted, missing = (str(authority.path(name)) for name in ("text", "encrypted.key", "missing"))
        pathlib.Path(text).write_text("This is no certificate.\n", encoding="utf-8")
        openssl("pkey", "-in", good.key, "-aes256", "-passout", "pass:secret", "-out", encrypted)
        folder = str(authority.folder)
        for certificate, key, says in (
                (missing, good.key, f"the certificate {missing} will not do: No such file or directory"),
                (good.chain, missing, f"the key {missing} will not do: No such file or directory"),
                (folder, good.key, f"the certificate {folder} will not do: Is a directory"),
                (good.chain, folder, f"the key {folder} will not do: Is a directory"),
                (text, good.key, f"the certificate {text} will not do: no start line"),
                (good.chain, text, f"the key {text} will not do: "),
                (os.devnull, good.key, f"the certificate {os.devnull} will not do: "),
                (good.chain, os.devnull, f"the key {os.devnull} will not do: "),
                (good.key, good.key, f"the certificate {good.key} will not do: no start line"),
                (good.chain, good.chain, f"the key {good.chain} will not do: "),
                (good.chain, authority.renewed.key, "renewed.key will not do: key values mismatch"),
                (good.chain, authority.rsa.key, f"the key {authority.rsa.key} will not do: "),
                (authority.rsa.chain, good.key, f"the key {good.key} will not do: "),
                (good.chain, encrypted, f"the key {encrypted} will not do: it is encrypted")):
            self.check(*Certificate(certificate, key).options(), code=1, says=says)

    def test_address_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:{}".format(taken.getsockname()[1])
            arguments = ["--port=0", f"--tls-address={address}", *authority.good.options()[1:]]
            result = run_to_end(*arguments)
            self.assertEqual((result.returncode, result.stderr),
                             (1, f"chorus-server: cannot listen on {address}: Address already in use\n"))
            self.assertEqual(run_to_end(*arguments, "--check-config").returncode, 0)

    def test_files_that_will_do(self):
        result = run_to_end("--check-config", *authority.good.options())
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, "chorus-server: the configuration is good\n", ""))

    def test_an_expired_certificate_is_used_and_warned_of(self):
        expired = authority.sign("expired", days=-1)
        server = self.start_tls(certificate=expired)
        server.wait_for_line(rf" warning +certificate_expired valid_until={expired.end()}$")
        self.assert_serves(server, distrust())
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "certificate has expired"):
            connect(server.tls_port)

    def test_an_inherited_socket_serves_tls(self):
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        for one in sockets:
            self.addCleanup(one.close)
        server = self.launch(*authority.good.options(), sockets=sockets,
                             environment={"LISTEN_FDS": "2", "LISTEN_FDNAMES": "https:http"})
        server.tls_port, server.plain_port = (one.getsockname()[1] for one in sockets)
        server.wait_for_line(rf"Responding at https://127\.0\.0\.1:{server.tls_port}\b")
        self.assert_serves(server)
        self.assertEqual(get(server.plain_port, "/healthz")[0], 200)

    def test_a_trusted_proxy_speaks_before_the_handshake(self):
        server = self.start_tls("--trusted-proxy=127.0.0.1")
        plain = connect_plainly(server.tls_port)
        plain.sendall(proxy_header("192.0.2.7"))
        with RawWebSocket(server.tls_port, connected=secure(plain)) as peer:
            self.assertEqual(peer.receive()[0], TEXT)
            server.wait_for_line(r" joined .*address=192\.0\.2\.7:4567 ")


class Reload(TlsTest):
    """SIGHUP reads the certificate again."""

    def setUp(self):
        self.files = Certificate(str(authority.path("current.pem")), str(authority.path("current.key")))
        self.put(authority.good)

    def put(self, certificate):
        for source, to in zip(certificate, self.files):
            shutil.copyfile(source, to)

    def test_who_comes_later_gets_the_new_one_and_who_is_there_stays(self):
        server = self.start_tls(certificate=self.files)
        with chat(server.tls_port) as before, connect(server.tls_port) as idle:
            self.assertEqual((before.receive()[0], name_of(idle)), (TEXT, "good"))
            self.put(authority.renewed)
            server.send_signal(signal.SIGHUP)
            server.wait_for_line(rf" info +certificate_read .*valid_until={authority.renewed.end()}$")
            with connect(server.tls_port) as later:
                self.assertEqual(name_of(later), "renewed")
            before.send(TEXT, b"still here")
            self.assertEqual(before.receive(), (TEXT, b"[user0]: still here"))
            self.assertRegex(ask(idle), r"^HTTP/1\.1 200 ")

    def test_a_session_is_taken_up_again_until_then(self):
        server = self.start_tls(certificate=self.files)
        sessions = {}
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trust(minimum_version=version, maximum_version=version)
            with connect(server.tls_port, context) as first:
                ask(first)  # in 1.3 the ticket comes after the handshake
                sessions[context] = first.session
            with connect(server.tls_port, context, session=sessions[context]) as second:
                self.assertTrue(second.session_reused, version)
                self.assertRegex(ask(second), r"^HTTP/1\.1 200 ")
        self.put(authority.renewed)
        server.send_signal(signal.SIGHUP)
        server.wait_for_line(f"certificate_read .*valid_until={authority.renewed.end()}$")
        for context, session in sessions.items():
            with connect(server.tls_port, context, session=session) as later:
                self.assertFalse(later.session_reused)
                self.assertEqual(name_of(later), "renewed")
                self.assertRegex(ask(later), r"^HTTP/1\.1 200 ")

    def test_the_old_one_stays_if_the_new_one_will_not_do(self):
        server = self.start_tls(certificate=self.files)
        chain = pathlib.Path(self.files.chain)
        for damage, complaint in (
                (lambda: chain.write_text("rubbish", encoding="utf-8"), "certificate .* no start line"),
                (chain.unlink, "certificate .* No such file or directory"),
                (lambda: self.put(Certificate(authority.good.chain, authority.renewed.key)), "key .* values mismatch"),
                (lambda: self.put(Certificate(authority.rsa.chain, authority.good.key)), "key .* key types?.*")):
            self.put(authority.good)
            damage()
            server.send_signal(signal.SIGHUP)
            server.wait_for_line(rf' error +cannot_reload reason="the {complaint}"$')
            with connect(server.tls_port) as later:
                self.assertEqual(name_of(later), "good")


class Talk(ForeignClientTest):
    """Conversations over wss and ws."""

    async def asyncSetUp(self):
        # What it remembers of every callback takes most of the time.
        asyncio.get_running_loop().set_debug(False)

    def start_tls(self, *arguments):
        self.start(*authority.good.options(), *arguments)
        self.tls_port = int(self.server.wait_for_line(r"Responding at https://127\.0\.0\.1:(\d+)\b").group(1))
        self.trust = trust()

    async def connect_tls(self, path="/chat", receive_buffer=None, **how):
        plain = socket.socket()
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.tls_port))
        return await self.connect(path, f"wss://localhost:{self.tls_port}", sock=plain, ssl=self.trust,
                                  server_hostname="localhost", **how)

    async def enter(self, *connecting):
        """All of them, greeted."""
        peers = []
        for one in connecting:
            peers.append(await one())
            self.assertIn("You are connected!", await self.receive(peers[-1]))
        return peers

    async def test_the_page(self):
        self.start_tls()
        with connect(self.tls_port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            page = b"".join(iter(lambda: connection.recv(64 * KiB), b"")).decode()
        self.assertRegex(page, r"^HTTP/1\.1 200 ")
        self.assertTrue(page.rstrip().endswith("</html>"))

    async def test_pages_from_here_may_connect(self):
        self.start_tls()
        here = f"https://localhost:{self.tls_port}"
        with chat(self.tls_port, headers=[f"Origin: {here}"]) as peer:
            self.assertEqual(peer.status, 101)
        with chat(self.tls_port, headers=["Origin: https://elsewhere.example"]) as peer:
            self.assertEqual(peer.status, 403)

    async def test_messages_arrive_whole_and_in_order(self):
        sizes = [1, 16 * KiB - 1, 16 * KiB, 16 * KiB + 1, 60 * KiB] * 4
        for threads in (1, 4):
            self.start_tls(f"--threads={threads}", "--outbound-limit=64MiB")
            peers = await self.enter(self.connect_tls, self.connect, self.connect_tls, self.connect)
            said = {f"user{i}": [f"{n}".ljust(size, "x") for n, size in enumerate(sizes)] for i in range(len(peers))}

            async def speak(peer, texts):
                for text in texts:
                    await peer.send(text)

            async def hear(peer):
                heard = {name: [] for name in said}
                for _ in range(len(peers) * len(sizes)):
                    name, _, text = (await self.receive(peer)).partition(": ")
                    heard[name.strip("[]")].append(text)
                return heard

            heard = await asyncio.gather(*map(hear, peers), *map(speak, peers, said.values()))
            for each in heard[:len(peers)]:
                self.assertTrue(each == said)

    async def test_a_burst_of_small_messages(self):
        count = 3000
        for threads in (1, 4):
            self.start_tls(f"--threads={threads}", "--outbound-limit=64MiB")
            with chat(self.tls_port) as over_tls, RawWebSocket(self.server.port) as plain:
                peers = (over_tls, plain)
                for peer in peers:
                    self.assertIn(b"You are connected!", peer.receive()[1])
                for number in range(count):
                    for peer in peers:
                        peer.send(TEXT, b"%d" % number)
                for peer in peers:
                    heard = [peer.receive()[1] for _ in range(2 * count)]
                    for name in (b"[user0]", b"[user1]"):
                        self.assertEqual([text for text in heard if text.startswith(name)],
                                         [b"%s: %d" % (name, number) for number in range(count)])

    async def test_an_echo_of_any_size(self):
        self.start_tls()
        user = await self.connect_tls("/echo")
        await self.assert_receives(user, "You are connected!")
        for size in (0, 1, 125, 126, 16 * KiB - 15, 16 * KiB - 14, 16 * KiB, 32 * KiB, 60 * KiB):
            await user.send("é" * (size // 2))
            self.assertEqual(await self.receive(user), "You said: " + "é" * (size // 2))

    async def test_one_who_does_not_read_is_told_what_it_has_missed(self):
        self.start_tls("--outbound-limit=64KiB", "--unsent-limit=16KiB", "--write-timeout=1m")
        slow, fast = await self.enter(lambda: self.connect_tls(receive_buffer=4 * KiB, max_queue=1), self.connect_tls)
        count = 200
        for number in range(count):
            await fast.send(f"{number} ".ljust(16 * KiB, "x"))
            await self.receive(fast)
        # The library reads on a little, so there may be more than one gap.
        due, gaps = 0, []
        while due != count:
            text = await self.receive(slow)
            if gap := re.fullmatch(r"\[chorus\]: (\d+) messages skipped", text):
                gaps.append(due)
                due += int(gap.group(1))
            else:
                self.assertEqual(text, f"[user1]: {due} ".ljust(16 * KiB + len("[user1]: "), "x"))
                due += 1
            self.assertLessEqual(due, count)
        self.assertNotEqual(gaps, [])
        self.assertGreater(gaps[0], 2)
        for number in range(100):
            await fast.send(f"after {number}")
            for peer in (fast, slow):
                await self.assert_receives(peer, f"[user1]: after {number}")

    async def test_nobody_is_dropped_by_reloads(self):
        self.start_tls("--threads=2")
        count, rounds = 12, 8
        peers = await self.enter(*[self.connect_tls, self.connect] * count)

        async def talk(peer):
            for number in range(rounds):
                await peer.send(str(number))
            return [await self.receive(peer) for _ in range(rounds * len(peers))]

        async def come_and_go():
            for _ in range(rounds):
                self.server.send_signal(signal.SIGHUP)
                newcomer, = await self.enter(lambda: self.connect_tls("/chat/other"))
                await newcomer.close()

        for _ in range(2):
            first, *others, _ = await asyncio.gather(*map(talk, peers), come_and_go())
            self.assertEqual(len(set(first)), rounds * len(peers))
            for heard in others:
                self.assertTrue(heard == first)
        self.assertGreater(sum("certificate_read" in line for line in self.server.log()), 2)
        self.assertFalse([line for line in self.server.log() if " error " in line])


class Client(TlsTest):
    """chorus-client over wss."""

    def run_client(self, *arguments, text=""):
        return subprocess.run([client, *arguments], input=text, capture_output=True, text=True, timeout=2 * DEADLINE,
                              env=server_process.clean_environment(), check=False)

    def check(self, *arguments, code, says):
        result = self.run_client(*arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertRegex(result.stderr, r"\Achorus-client: [^\n]+\n\Z")
        self.assertIn(says, result.stderr)

    def test_talks_to_whom_it_trusts(self):
        server = self.start_tls()
        for host in ("localhost", "127.0.0.1"):
            result = self.run_client("--ca", authority.root, "--linger=1m", f"wss://{host}:{server.tls_port}/chat",
                                     text="hello\n")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout, r"\AYou are connected! .*\n\[user\d\]: hello\n\Z")

    def test_trusts_nobody_else(self):
        server = self.start_tls()
        url = f"wss://localhost:{server.tls_port}/chat"
        self.check(url, code=CANNOT_CONNECT, says=f"cannot connect to {url}: no TLS: the certificate will not do: ")
        # What leads there is no root.
        self.check("--ca", authority.good.key, url, code=CANNOT_CONNECT,
                   says=f"the authorities' file {authority.good.key} will not do: ")
        self.check("--ca", "/nowhere", url, code=CANNOT_CONNECT, says="/nowhere will not do: No such file or directory")
        self.check("--ca", str(authority.folder), url, code=CANNOT_CONNECT, says="will not do: Is a directory")
        server.wait_for_line(r"tls_handshake_failed .*reason=\".*unknown ca")

    def test_a_certificate_for_another_or_of_another_time(self):
        by_name = self.start_tls(certificate=authority.sign("by_name", names="DNS:localhost"))
        self.check("--ca", authority.root, f"wss://127.0.0.1:{by_name.tls_port}/chat", code=CANNOT_CONNECT,
                   says="the certificate will not do: IP address mismatch")
        other = self.start_tls(certificate=authority.sign("other", names="DNS:localhost.example, IP:127.0.0.1"))
        self.check("--ca", authority.root, f"wss://localhost:{other.tls_port}/chat", code=CANNOT_CONNECT,
                   says="the certificate will not do: hostname mismatch")
        expired = self.start_tls(certificate=authority.sign("over", days=-1))
        self.check("--ca", authority.root, f"wss://localhost:{expired.tls_port}/chat", code=CANNOT_CONNECT,
                   says="the certificate will not do: certificate has expired")

    def test_takes_anyone_if_told_so(self):
        server = self.start_tls()
        result = self.run_client("--insecure", "--linger=1m", f"wss://localhost:{server.tls_port}/chat", text="hello\n")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("[user0]: hello\n", result.stdout)

    def test_wrong_usage(self):
        for arguments, says in ((["--ca", authority.root, "ws://localhost/chat"], "go with a URL of wss://"),
                                (["--insecure", "ws://localhost/chat"], "go with a URL of wss://"),
                                (["--ca", authority.root, "--insecure", "wss://localhost/chat"], "choose one")):
            self.check(*arguments, code=BAD_USAGE, says=says)

    def test_the_wrong_port(self):
        server = self.start_tls()
        url = f"ws://localhost:{server.tls_port}/chat"
        result = self.run_client(url)
        # The server reads what it takes for a record, and a reset follows where more has come.
        self.assertRegex(result.stderr, rf"\Achorus-client: cannot connect to {url}: (Connection reset by peer|"
                                        r"the server closed the connection instead of answering)\n\Z")
        self.assertEqual(result.returncode, CANNOT_CONNECT)
        self.check("--insecure", f"wss://127.0.0.1:{server.port}/chat", code=CANNOT_CONNECT,
                   says="no TLS: wrong version number")

    def test_is_told_when_the_server_stops(self):
        server = self.start_tls()
        with subprocess.Popen([client, "--ca", authority.root, f"wss://localhost:{server.tls_port}/chat"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as peer:
            self.assertIn("You are connected!", peer.stdout.readline())
            server.send_signal(signal.SIGTERM)
            self.assertIn("the server closed the connection: 1012", peer.stderr.readline())
        self.assertEqual(server.wait_for_exit(), 0)

    def test_plays_scripts(self):
        for name in ("tutorial", "hundred", "json_gap"):
            file = pathlib.Path(__file__).parent / "scripts" / f"{name}.chat"
            options = re.findall(r"^# server: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            server = self.start_tls(*" ".join(options).split())
            with self.subTest(script=name):
                result = self.run_client("--script", str(file), "--ca", authority.root,
                                         f"wss://localhost:{server.tls_port}/chat")
                self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    client = os.path.abspath(sys.argv.pop(2))
    server_process.main()
