"""The vendor's side in a contract test: a real HTTP server that the channel is pointed at.

It answers over real sockets from threads of its own, so that a channel which blocks the loop,
or whose vendor library brings its own client, is tested all the same. It records every request
and plays the faults that a network has.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from hub.multipart import read_multipart

# SO_LINGER with a zero wait: close() sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)
_PATIENCE = 60.0


class Scene(StrEnum):
    """What the vendor does when the channel sends."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    OVERLOADED = "overloaded"
    SILENT = "silent"
    """Takes the request and never answers."""
    RESET = "reset"
    """Takes the request and resets the connection."""
    JUNK = "junk"
    """Answers success with a body that is not the vendor's."""
    BROKEN = "broken"
    """A proxy before the vendor answers 502 with a page of HTML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the channel made; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The fields of an urlencoded or multipart body; the last of a repeated one wins."""
        if self.headers.get("content-type", "").startswith("multipart/"):
            fields, _ = read_multipart(self.headers["content-type"], self.body)
            return dict(fields)
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def files(self) -> list[bytes]:
        """The files of a multipart body."""
        if not self.headers.get("content-type", "").startswith("multipart/"):
            return []
        _, files = read_multipart(self.headers["content-type"], self.body)
        return [file.content or b"" for _, file in files]

    def words(self) -> Iterator[str]:
        """Every text in the request, decoded: of its path, query, form, JSON, and the bare body."""
        yield unquote(self.path)
        yield from self.query.values()
        found = list(self.form().values())
        with contextlib.suppress(ValueError):
            found += _leaves(self.json())
        yield from found
        for one in found:
            # Some vendors take JSON inside a form's field.
            with contextlib.suppress(ValueError):
                yield from _leaves(json.loads(one))
        yield self.body.decode("utf-8", "replace")

    def carries(self, content: bytes) -> bool:
        """Say whether these bytes are in the request: as they are, as a file, or as base64."""
        return (
            content in self.body
            or content in self.files()
            or base64.b64encode(content) in self.body.replace(b"\r\n", b"").replace(b"\\/", b"/")
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the vendor answers: bytes and text go as they are, everything else as JSON."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> tuple[bytes, str]:
        """The body's bytes and their media type."""
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


WAIT = Reply(status=0)
"""Given for a long poll: hold the request, and ask again when something was delivered."""

Answer = Callable[[Request], Reply]


class FarSide(Protocol):
    """What a contract test needs of a vendor's side; `HttpFarSide` is the one for HTTP."""

    url: str
    requests: list[Request]
    waiting: list[bytes]

    def play(self, scene: Scene) -> None:
        """Behave so from now on."""

    def deliver(self, body: bytes) -> None:
        """Let something wait for the channel that listens."""

    def close(self) -> None:
        """End, and let go whoever still waits."""


class HttpFarSide:
    """A vendor's API over HTTP/1.1 on 127.0.0.1.

    `answers` maps a scene to the function that answers in it; `is_send` says which requests
    the scene is about (the others, a login say, are answered as in `ACCEPTED`).
    """

    def __init__(
        self,
        answers: Mapping[Scene, Answer],
        is_send: Callable[[Request], bool],
        *,
        tls: bool = False,
    ) -> None:
        self.requests: list[Request] = []
        self.waiting: list[bytes] = []
        self._answers = answers
        self._is_send = is_send
        self._scene = Scene.ACCEPTED
        self._changed = threading.Condition()
        self._closed = False
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.far_side = self
        if tls:
            self._server.socket = _stranger().wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def play(self, scene: Scene) -> None:
        """Behave so from now on."""
        self._scene = scene

    def deliver(self, body: bytes) -> None:
        """Let a message wait for the channel; wakes the long polls that are held."""
        with self._changed:
            self.waiting.append(body)
            self._changed.notify_all()

    def close(self) -> None:
        """End, and let go whoever still waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Reply | None:
        """Give the reply to one request; None is a reset."""
        with self._changed:
            if self._closed:
                # A kept connection outlives its server; nobody is at home behind it.
                return None
            self.requests.append(request)
        scene = self._scene if self._is_send(request) else Scene.ACCEPTED
        if scene is Scene.RESET:
            return None
        if scene is Scene.SILENT:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, _PATIENCE)
            return None
        if scene is Scene.JUNK:
            return Reply("<html><body>Welcome to the hotel's network</body></html>")
        if scene is Scene.BROKEN:
            return Reply("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        while True:
            with self._changed:
                seen = len(self.waiting)
            reply = self._answers[scene](request)
            if reply is not WAIT:
                return reply
            if not self._more_than(seen):
                return None

    def _more_than(self, seen: int) -> bool:
        """Wait until more than `seen` was delivered; False where the far side was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self.waiting) > seen)
            return not self._closed


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    far_side: HttpFarSide

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
        )
        reply = self.server.far_side.answer(request)
        if reply is None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.connection.close()
            return
        content, media_type = reply.content()
        self.send_response(reply.status)
        headers = {"Content-Type": media_type, **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the test reads `requests`."""


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)


def _stranger() -> ssl.SSLContext:
    """A TLS server whose certificate nobody vouches for."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a stranger")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stranger.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(path)
    return context
