"""A vendor's HTTP API played in the test process, over real sockets, with faults to order.

A stand-in subclasses `StandIn` and answers requests; a test orders faults for the next requests
that match. What a stand-in objects to (a malformed request, an answer of its own that is not what
the vendor would say) is kept in `objections` and fails the test when the stand-in is closed.
"""

from __future__ import annotations

import email.parser
import email.policy
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> Any:
        return json.loads(self.body)

    def files(self) -> dict[str, tuple[str, bytes, str]]:
        """The parts of a multipart body: field -> (file name, bytes, media type)."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        letter = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        found = {}
        for part in letter.iter_parts():  # type: ignore[attr-defined]
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            found[str(name)] = (part.get_filename() or "", content, part.get_content_type())
        return found


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(value, ensure_ascii=False).encode(), headers=headers)


HTML = Reply(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html; charset=utf-8")


@dataclass
class Fault:
    """What goes wrong with the next request that `matches`.

    `reply` is sent instead of doing anything. `after` says that the request is carried out first:
    then the answer is lost. `hold` is waited for (an Event, so that nothing sleeps) before that.
    Without a reply the connection is cut.
    """

    matches: str
    reply: Reply | None = None
    after: bool = False
    hold: threading.Event | None = None


class StandIn:
    """A server on a free loopback port; a context manager."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.objections: list[str] = []
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self._open: set[socket.socket] = set()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        self._http.serve_forever(poll_interval=0.05)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, request: Request) -> Reply:
        """You implement: play the vendor."""
        raise NotImplementedError

    def object_to(self, what: str) -> None:
        with self.lock:
            self.objections.append(what)

    def fail_next(
        self,
        matches: str,
        reply: Reply | None = None,
        *,
        after: bool = False,
        hold: threading.Event | None = None,
        times: int = 1,
    ) -> None:
        """Order faults for the next requests whose path holds `matches`."""
        with self.lock:
            self.faults += [Fault(matches, reply, after, hold) for _ in range(times)]

    def _fault(self, request: Request) -> Fault | None:
        with self.lock:
            for one in self.faults:
                if one.matches in request.path:
                    self.faults.remove(one)
                    return one
        return None

    def handle(self, request: Request) -> Reply | None:
        """Answer one request; None cuts the connection."""
        with self.lock:
            self.requests.append(request)
        fault = self._fault(request)
        if fault is None:
            return self._safe(request)
        if fault.after:
            self._safe(request)
        if fault.hold is not None:
            while not fault.hold.wait(0.05) and not self.stopping.is_set():
                pass
        return fault.reply

    def _safe(self, request: Request) -> Reply:
        try:
            return self.answer(request)
        except Exception as error:
            self.object_to(f"{request.method} {request.path}: {type(error).__name__}: {error}")
            return as_json({"stand_in": repr(error)}, 500)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._http.shutdown()
        with self.lock:
            for one in self._open:
                _shut(one)
        self._thread.join(10)
        self._http.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error is None:
            assert self.objections == [], "\n".join(self.objections)


class _Server(ThreadingHTTPServer):
    # Handlers end when their connections are shut, and are waited for.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error here."""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with stand_in.lock:
                stand_in._open.add(self.connection)
                if stand_in.stopping.is_set():
                    _shut(self.connection)

        def finish(self) -> None:
            with stand_in.lock:
                stand_in._open.discard(self.connection)
            super().finish()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def _take(self) -> None:
            split = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            request = Request(
                method=self.command,
                path=split.path,
                query=dict(parse_qsl(split.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length) if length else b"",
            )
            reply = stand_in.handle(request)
            if reply is None:
                self.close_connection = True
                _shut(self.connection)
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(reply.body)

    # The names that http.server looks for.
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._take)
    return Handler
