"""A cuttable wire: a TCP relay between a client under test and a real server.

with Wire(dovecot.imap_port) as wire:
    ...connect to 127.0.0.1:wire.port...
    wire.stall()      # nothing passes either way and nobody is told: a dead network
    wire.flow()       # what was held back passes now
    wire.cut()        # every connection is reset; new ones are welcome
    wire.refuse()     # new connections are reset at once; flow() ends it
"""

import contextlib
import socket
import struct
import threading
from typing import Self

CHUNK = 65536
# SO_LINGER with a zero wait: close() sends a reset instead of an orderly end.
RESET = struct.pack("ii", 1, 0)


class Wire:
    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port: int = self._listener.getsockname()[1]
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self) -> int:
        """How many connections pass through now."""
        with self._lock:
            return len(self._sockets) // 2

    def stall(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._refuses = False
        self._flows.set()

    def refuse(self) -> None:
        self._refuses = True

    def cut(self) -> None:
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for end in sockets:
            _reset(end)

    def close(self) -> None:
        self._listener.close()
        self.cut()
        self._flows.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._sockets |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while chunk := source.recv(CHUNK):
                self._flows.wait()
                sink.sendall(chunk)
            self._flows.wait()
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(source)
            _reset(sink)
        finally:
            self._forget_ended(source, sink)

    def _forget_ended(self, source: socket.socket, sink: socket.socket) -> None:
        """The second of a connection's two pumps to end closes both of its sockets."""
        with self._lock:
            if source in self._sockets:
                self._sockets.discard(source)
                return
            self._sockets -= {source, sink}
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        # Wakes a thread that waits in recv; closing alone would leave it there.
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
