"""What a plugin's endpoint answers, as HTTP: pages in the hub's frame, JSON, files, streams."""

from __future__ import annotations

import asyncio
import contextlib
import gettext
import mimetypes
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from hub.catalogues import own_catalogue
from hub.pages import Answer, File, Fragment, Json, Page, Redirect, ServerEvent, Stream
from hub.web.auth import content_policy
from hub.web.compiled import CompiledEnvironment
from hub.web.render import Renderer, Words

BEAT_SECONDS = 15.0
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
_ACTIVE = ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml")


class PluginRenderer(Renderer):
    """Renders one plugin's templates: its own words first, then the hub's."""

    def __init__(self, plugin: str, folder: Path, cache: Path | None = None) -> None:
        super().__init__(cache, {plugin: folder / "templates"})
        self._plugin = plugin
        self._folder = folder

    def _make(self, language: str) -> CompiledEnvironment:
        environment = super()._make(language)
        catalogue = self.catalogue(language)
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            catalogue.gettext, catalogue.ngettext, newstyle=True
        )
        environment.globals["_"] = Words(catalogue)
        return environment

    def catalogue(self, language: str) -> gettext.NullTranslations:
        """Give the plugin's catalogue; what is not in it is looked up in the hub's."""
        return own_catalogue(self._folder, self._plugin, language)

    def answer(self, request: Request, answer: Page | Fragment) -> Response:
        """Render a page or a fragment."""
        name = answer.template
        template = name if name.startswith(f"{self._plugin}/") else f"{self._plugin}/{name}"
        values: dict[str, Any] = {"plugin": self._plugin, **answer.values}
        if isinstance(answer, Page):
            frame = "hub/bare.html" if answer.bare or not _has_user(request) else "hub/page.html"
            values = {"layout": frame, "title": answer.title, "section": self._plugin, **values}
        response = self.page(request, template, answer.status, **values)
        response.headers["content-security-policy"] = content_policy(request.state.nonce)
        if isinstance(answer, Page):
            response.headers.update(answer.headers)
        return response


def _has_user(request: Request) -> bool:
    return getattr(request.state, "user", None) is not None


def respond(
    request: Request, answer: Answer, renderer: PluginRenderer, stopping: asyncio.Event
) -> Response:
    """Turn an answer into a response; raises TypeError for anything else."""
    match answer:
        case Page() | Fragment():
            return renderer.answer(request, answer)
        case Json():
            body = orjson.dumps(answer.value, option=orjson.OPT_NON_STR_KEYS, default=str)
            return Response(body, answer.status, dict(answer.headers), "application/json")
        case Redirect():
            return RedirectResponse(answer.to, answer.status)
        case File():
            return _file(answer)
        case Stream():
            return EventStream(answer, stopping)
    raise TypeError(f"an endpoint gave {type(answer).__name__}")


def _file(answer: File) -> Response:
    headers = {"x-content-type-options": "nosniff", **_lower(answer.headers)}
    if answer.name:
        plain = answer.name.encode("ascii", "replace").decode().translate(_UNQUOTABLE)
        headers.setdefault(
            "content-disposition",
            f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(answer.name, safe='')}",
        )
    if answer.media_type.split(";")[0].strip().lower() in _ACTIVE:
        headers.setdefault("content-security-policy", FILE_POLICY)
    return Response(answer.content, answer.status, headers, answer.media_type)


_UNQUOTABLE = {ord(one): "_" for one in '"\\\r\n'} | dict.fromkeys(range(32), "_")


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class EventStream(Response):
    """Server-sent events; the plugin's iterator is closed when the caller leaves or we stop."""

    def __init__(self, stream: Stream, stopping: asyncio.Event) -> None:
        super().__init__(
            headers={
                "cache-control": "no-store",
                "x-accel-buffering": "no",
                **_lower(stream.headers),
            },
            media_type="text/event-stream",
        )
        del self.headers["content-length"]
        self._events = stream.events
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until somebody has enough."""
        pump = asyncio.create_task(self._pump(send))
        others = [
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._stopping.wait()),
        ]
        try:
            await asyncio.wait({pump, *others}, return_when=asyncio.FIRST_COMPLETED)
            finished = pump.done()
        finally:
            for task in (pump, *others):
                task.cancel()
            await asyncio.gather(pump, *others, return_exceptions=True)
        if finished:
            pump.result()
        else:
            # The end of the body tells the browser to come back, to the next start perhaps.
            with contextlib.suppress(OSError, RuntimeError):
                await send({"type": "http.response.body", "body": b""})

    async def _pump(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        queue: asyncio.Queue[ServerEvent | None] = asyncio.Queue(maxsize=1)
        reader = asyncio.create_task(_read(self._events, queue))
        try:
            while True:
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        event = await queue.get()
                except TimeoutError:
                    await _send(send, b": beat\r\n\r\n")
                    continue
                if event is None:
                    break
                await _send(send, as_text(event).encode())
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        reader.result()
        await send({"type": "http.response.body", "body": b""})


async def _read(
    events: AsyncIterator[ServerEvent], queue: asyncio.Queue[ServerEvent | None]
) -> None:
    try:
        async for event in events:
            await queue.put(event)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    await queue.put(None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def as_text(event: ServerEvent) -> str:
    """Write one event; a line break in its data begins another data line (HTML, 9.2.6)."""
    lines = [
        f"{name}: {_line(value)}"
        for name, value in (("id", event.id), ("event", event.event))
        if value
    ]
    data = event.data.replace("\r\n", "\n").replace("\r", "\n")
    lines += [f"data: {one}" for one in data.split("\n")]
    return "\r\n".join(lines) + "\r\n\r\n"


def _line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def media_type_of(name: str) -> str:
    """Give the media type of a static file."""
    known = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{known}; charset=utf-8" if known.startswith("text/") else known
