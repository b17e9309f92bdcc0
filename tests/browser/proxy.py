"""A reverse proxy with a path prefix, and with a network behind it that can be held up and lost."""

import contextlib
import socket
import threading

KiB = 1024


class _Connection:
    """One that is passed on. Each direction has a gate, which is shut where what comes is to wait."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.cut = False  # neither end hears of the other any more
        self.up, self.down = threading.Event(), threading.Event()
        self.up.set()
        self.down.set()

    def pump(self, source, to, gate):
        with contextlib.suppress(OSError):
            while data := source.recv(4 * KiB):
                gate.wait()
                # Where the other end is lost, this one does not hear of it.
                with contextlib.suppress(OSError):
                    to.sendall(data)
        if not self.cut:
            _end(to, socket.SHUT_WR)


def _end(connection, how=socket.SHUT_RDWR):
    with contextlib.suppress(OSError):
        connection.shutdown(how)


class Proxy:
    """Passes connections on to a port of this machine. Each of its requests loses `prefix`."""

    def __init__(self, port, prefix=""):
        self._target, self._prefix = port, prefix.encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = []
        self._orphans = []  # of which the server does not know yet that they are lost
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, up=False, down=False):
        """What comes from now on over the present connections waits."""
        for connection in self._open:
            if up:
                connection.up.clear()
            if down:
                connection.down.clear()

    def resume(self):
        for connection in self._open:
            connection.up.set()
            connection.down.set()

    def lose_clients(self):
        """The present connections are lost. Their clients see it, and the server does not yet."""
        for connection in self._open:
            connection.cut = True
            _end(connection.client)
        self._orphans += self._open
        self._open = []

    def lose_orphans(self):
        """Those that were lost for their clients only are now lost for the server, too, and what was held."""
        for connection in self._orphans:
            _end(connection.server)
            connection.up.set()
            connection.down.set()
        self._orphans = []

    def lose(self):
        """The present connections are lost for both ends."""
        self.lose_clients()
        self.lose_orphans()

    def close(self):
        _end(self._listener)
        self._listener.close()
        self.lose()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client, socket.socket() as server:
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(4 * KiB)
                if not part:
                    return
                head += part
            # So little that what waits, waits in the server.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KiB)
            server.connect(("127.0.0.1", self._target))
            # One request for each connection, so that the prefix is always where it is expected.
            head = head.replace(b" " + self._prefix, b" ", 1)
            head = head.replace(b"Connection: keep-alive", b"Connection: close", 1)
            server.sendall(head)
            connection = _Connection(client, server)
            self._open.append(connection)
            up = threading.Thread(target=connection.pump, args=(client, server, connection.up), daemon=True)
            up.start()
            connection.pump(server, client, connection.down)
            up.join()
