"""The live stream: one per browser, numbered, coalesced, rendered once for everybody.

One reader per process takes the feed. It renders what changed once per language and puts it
into the pending map of each connection that may see it: the last word per key wins, so a slow
browser gets fewer, never stale, updates. A connection is flushed at most every 100 ms (a
dialog that somebody has open: at once). A gap that is too large is answered by `resync`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import users as user_reads
from crm_store.journal import events_after
from crm_store.viewer import Reader, Viewer
from hub.events import (
    BrandChanged,
    ChannelDown,
    ChannelUp,
    Event,
    MessageCancelled,
    NoteAdded,
    SessionsRevoked,
    UserChanged,
)
from hub.feed import Gap, Signal
from hub.ids import DialogId, MessageId, UserId
from hub.records.dialogs import DialogPage, DialogQuery

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer

log = logging.getLogger("hub.live")

FLUSH_SECONDS = 0.1
OPEN_SECONDS = 0.02
HEARTBEAT_SECONDS = 15.0
MAX_PENDING = 500
MAX_GAP = 500
RIGHTS = frozenset(
    {"dialogs.view", "dialogs.answer", "dialogs.note", "contacts.view", "contacts.edit"}
)


@dataclass(eq=False, slots=True)
class Connection:
    """One browser."""

    id: str
    viewer: Viewer
    language: str
    session: str
    zone: str
    dialogs: frozenset[int] = frozenset()
    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    urgent: bool = False
    last: int = 0
    closed: bool = False

    def put(self, key: str, item: dict[str, Any], *, urgent: bool = False) -> None:
        """Queue an item; a newer one of the same key replaces it."""
        if len(self.pending) >= MAX_PENDING and key not in self.pending:
            self.pending = {"resync": {"k": "resync"}}
        else:
            self.pending.pop(key, None)
            self.pending[key] = item
        self.urgent = self.urgent or urgent
        self.wake.set()


class Live:
    """All browsers of this process."""

    def __init__(self, runtime: Runtime, renderer: Renderer) -> None:
        self._runtime = runtime
        self._renderer = renderer
        self._connections: dict[str, Connection] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many browsers listen."""
        return len(self._connections)

    async def start(self) -> None:
        """Begin to read the feed."""
        self._task = asyncio.create_task(self._run(), name="live")

    async def stop(self) -> None:
        """Close every stream."""
        for one in self._connections.values():
            one.closed = True
            one.wake.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with self._runtime.feed.subscribe() as subscription:
            while True:
                batch = await subscription.get()
                while not subscription.queue.empty() and len(batch) < 1000:
                    batch = [*batch, *subscription.queue.get_nowait()]
                if not self._connections:
                    continue
                try:
                    await self._deliver(batch, list(self._connections.values()))
                except Exception:
                    log.exception("live_failed items=%d", len(batch))
                    for one in self._connections.values():
                        one.put("resync", {"k": "resync"})

    async def _deliver(self, batch: list[Any], connections: list[Connection]) -> None:
        events = [one for one in batch if isinstance(one, Event)]
        for item in batch:
            if isinstance(item, Signal):
                self._signal(item, connections)
            elif isinstance(item, Gap):
                for one in connections:
                    one.put("resync", {"k": "resync"})
        if not events:
            return
        last = events[-1].id
        self._house(events, connections)
        dialog_ids = list(dict.fromkeys(one.dialog for one in events if one.dialog))
        opened = {one for connection in connections for one in connection.dialogs}
        message_ids = list(
            dict.fromkeys(
                one.subject.id
                for one in events
                if one.subject.kind == "message" and one.dialog in opened
            )
        )
        rows, found, users = await self._load(dialog_ids, message_ids)
        rendered = self._render(rows, found, users, {one.language for one in connections})
        touched = {one.dialog for one in events if one.shown and one.dialog in opened}
        gone = [one for one in events if isinstance(one, MessageCancelled)]
        mentioned = {user for one in events if isinstance(one, NoteAdded) for user in one.mentions}
        for connection in connections:
            if last <= connection.last:
                continue
            connection.last = max(connection.last, last)
            self._offer(connection, rows, found, rendered, touched, gone, mentioned)

    def _offer(
        self,
        connection: Connection,
        rows: tuple[Any, ...],
        found: tuple[Any, ...],
        rendered: dict[tuple[str, str, int], str],
        touched: set[DialogId],
        gone: list[MessageCancelled],
        mentioned: set[UserId],
    ) -> None:
        language = connection.language
        for dialog in rows:
            if not connection.viewer.sees_account(dialog.account_id):
                continue
            open_here = dialog.id in connection.dialogs
            connection.put(
                f"row:{dialog.id}",
                {
                    "k": "row",
                    "id": str(dialog.id),
                    "html": rendered["row", language, dialog.id],
                    "mine": dialog.assignee_id == connection.viewer.user_id,
                    "last": dialog.last_direction,
                },
            )
            if dialog.id in touched and open_here:
                connection.put(
                    f"head:{dialog.id}", {"k": "head", "id": str(dialog.id)}, urgent=True
                )
        for message in found:
            if message.dialog_id in connection.dialogs and connection.viewer.sees_account(
                message.account_id
            ):
                connection.put(
                    f"msg:{message.id}",
                    {
                        "k": "msg",
                        "id": str(message.id),
                        "dialog": str(message.dialog_id),
                        "html": rendered["msg", language, message.id],
                        "by": str(message.author.id),
                        "way": message.direction.value,
                    },
                    urgent=True,
                )
        for event in gone:
            if event.dialog_id in connection.dialogs:
                connection.put(
                    f"msg:{event.message_id}",
                    {"k": "gone", "id": str(event.message_id)},
                    urgent=True,
                )
        if rows:
            connection.put("counters", {"k": "counters"})
        if connection.viewer.user_id in mentioned:
            connection.put("mention", {"k": "mention"}, urgent=True)

    def _signal(self, signal: Signal, connections: list[Connection]) -> None:
        for one in connections:
            if signal.dialog_id in one.dialogs and signal.user_id != one.viewer.user_id:
                one.put(
                    f"signal:{signal.dialog_id}:{signal.user_id}",
                    {
                        "k": "signal",
                        "dialog": str(signal.dialog_id),
                        "kind": signal.kind,
                        "user": str(signal.user_id),
                        "name": signal.value,
                        "contact": signal.contact,
                    },
                    urgent=True,
                )

    def _house(self, events: list[Event], connections: list[Connection]) -> None:
        """Facts about the house: rights that changed, channels that went down."""
        for event in events:
            if isinstance(event, SessionsRevoked | UserChanged):
                for one in connections:
                    if one.viewer.user_id == event.user_id:
                        one.put("session", {"k": "session"}, urgent=True)
                        one.closed = isinstance(event, SessionsRevoked) or one.closed
            elif isinstance(event, ChannelDown | ChannelUp | BrandChanged):
                for one in connections:
                    one.put("page", {"k": "page"})

    async def _load(
        self, dialog_ids: list[DialogId], message_ids: list[int]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...], dict[UserId, Any]]:
        def load(conn: Any) -> Any:
            reader = Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now())
            return (
                dialog_reads.several(reader, dialog_ids),
                message_reads.several(reader, [MessageId(one) for one in message_ids]),
                {one.id: one for one in user_reads.all_users(reader)},
            )

        answer: tuple[
            tuple[Any, ...], tuple[Any, ...], dict[UserId, Any]
        ] = await self._runtime.database.read(load)
        return answer

    def _render(
        self,
        rows: tuple[Any, ...],
        found: tuple[Any, ...],
        users: dict[UserId, Any],
        languages: set[str],
    ) -> dict[tuple[str, str, int], str]:
        """Render each thing once per language; personal differences travel as data attributes."""
        rendered: dict[tuple[str, str, int], str] = {}
        for language in languages:
            for dialog in rows:
                rendered["row", language, dialog.id] = self._renderer.text(
                    "inbox/rows.html",
                    language,
                    list=DialogPage(dialogs=(dialog,), next=""),
                    users=users,
                    dialog=None,
                    query=DialogQuery(),
                )
            for message in found:
                rendered["msg", language, message.id] = self._renderer.text(
                    "inbox/message.html", language, message=message, dialog=None
                )
        return rendered

    # -- one browser -----------------------------------------------------------------------

    async def open(self, request: Request) -> AsyncIterator[bytes]:
        """Stream to one browser until it leaves."""
        state = request.state
        viewer = await state.hub.read(lambda reader: reader.viewer)
        connection = Connection(
            id=secrets.token_urlsafe(12),
            viewer=viewer,
            language=state.language,
            session=state.session,
            zone=getattr(state, "zone", "") or "UTC",
            dialogs=_ids(request.query_params.get("dialogs", "")),
            last=self._runtime.feed.last,
        )
        self._connections[connection.id] = connection
        try:
            hello = {"k": "hello", "connection": connection.id}
            yield _frame([hello], self._runtime.epoch, connection.last)
            resume = request.headers.get("last-event-id") or request.query_params.get("after", "")
            if resume:
                await self._resume(connection, resume)
            async for frame in self._frames(connection):
                yield frame
        finally:
            self._connections.pop(connection.id, None)

    async def _frames(self, connection: Connection) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await connection.wake.wait()
            except TimeoutError:
                yield b": beat\n\n"
                continue
            await asyncio.sleep(OPEN_SECONDS if connection.urgent else FLUSH_SECONDS)
            connection.wake.clear()
            connection.urgent = False
            items, connection.pending = list(connection.pending.values()), {}
            if items:
                yield _frame(items, self._runtime.epoch, connection.last)
            if connection.closed:
                return

    async def _resume(self, connection: Connection, resume: str) -> None:
        """Send what was missed since an event, or say that it is too much."""
        epoch, _, given = resume.partition("-")
        after = int(given) if given.isdigit() else 0
        if epoch != self._runtime.epoch or connection.last - after > MAX_GAP or after <= 0:
            connection.put("resync", {"k": "resync"})
            return
        if after >= connection.last:
            return
        newest = connection.last
        events, _ = await self._runtime.database.read(
            lambda conn: events_after(conn, self._runtime.registry, after, MAX_GAP)
        )
        connection.last = after
        await self._deliver([one for one in events if one.id <= newest], [connection])
        connection.last = max(connection.last, newest)

    def watch(self, connection_id: str, user_id: UserId, dialogs: frozenset[int]) -> bool:
        """Say which dialogs a browser has open."""
        connection = self._connections.get(connection_id)
        if connection is None or connection.viewer.user_id != user_id:
            return False
        connection.dialogs = dialogs
        return True


def _frame(items: list[dict[str, Any]], epoch: str, last: int) -> bytes:
    body = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    return f"id: {epoch}-{last}\ndata: {body}\n\n".encode()


def _ids(text: str) -> frozenset[int]:
    return frozenset(int(one) for one in text.split(",")[:50] if one.isdigit())


async def stream(request: Request) -> Response:
    """Open the stream of one browser."""
    live: Live = request.app.state.live
    return StreamingResponse(
        live.open(request),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


async def watch(request: Request) -> Response:
    """Take the list of open dialogs of a browser."""
    body = await request.json()
    live: Live = request.app.state.live
    given = body.get("dialogs", [])
    known = live.watch(
        str(body.get("connection", "")),
        request.state.user.id,
        _ids(",".join(str(one) for one in given)),
    )
    return JSONResponse({"result": known}, 200 if known else 410)


def routes() -> list[Route]:
    """Give the routes of the live stream."""
    return [Route("/live", stream), Route("/live/watch", watch, methods=["POST"])]
