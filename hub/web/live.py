"""The live stream: one per browser, numbered, coalesced, rendered once for everybody.

One reader per process takes the feed. It renders what changed once per language and puts it
into the pending map of each connection that may see it: the last word per key wins, so a slow
browser gets fewer, never stale, updates. A connection is flushed at most every 100 ms (a
dialog that somebody has open: at once). A gap that is too large is answered by `resync`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from crm_store.journal import events_after
from crm_store.viewer import Place
from hub.events import Event
from hub.feed import Gap, Signal
from hub.ids import DialogId, UserId
from hub.web.live_connection import (
    RESYNC,
    Connection,
    flush_pause,
    read_opened,
    write_frame,
)
from hub.web.live_counts import Counting, Standings
from hub.web.live_drawing import load_changed
from hub.web.live_house import viewer_of
from hub.web.live_telling import Telling

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer

log = logging.getLogger("hub.live")

OPEN_SECONDS = 0.02
HEARTBEAT_SECONDS = 15.0
MAX_GAP = 500
KNOWN_DIALOGS = 20_000


class Live:
    """All browsers of this process."""

    def __init__(self, runtime: Runtime, renderer: Renderer) -> None:
        self._runtime = runtime
        self._telling = Telling(runtime, renderer)
        self._connections: dict[str, Connection] = {}
        self._place_of: dict[DialogId, Place] = {}
        self._standings = Standings()
        self._counting = Counting(runtime.database, self._connections.values)
        # The last fact of each dialog since this process began, and up to where that is not known.
        self._last_of: dict[int, int] = {}
        self._unknown_to = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """How many browsers listen."""
        return len(self._connections)

    async def start(self) -> None:
        """Begin to read the feed."""
        self._unknown_to = self._runtime.feed.last
        self._tasks = [
            asyncio.create_task(self._run(), name="live"),
            asyncio.create_task(self._counting.run(), name="live counting"),
        ]

    async def stop(self) -> None:
        """Close every stream."""
        for one in self._connections.values():
            one.closed = True
            one.wake.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        async with self._runtime.feed.subscribe() as subscription:
            while True:
                batch = await subscription.get()
                self._remember(batch)
                while not subscription.queue.empty() and len(batch) < 1000:
                    more = subscription.queue.get_nowait()
                    self._remember(more)
                    batch = [*batch, *more]
                if not self._connections:
                    # Nobody hears what moves meanwhile.
                    self._place_of.clear()
                    self._standings.forget()
                    continue
                try:
                    await self._deliver(batch)
                except Exception:
                    log.exception("live_failed items=%d", len(batch))
                    self._standings.forget()
                    for one in self._connections.values():
                        one.put("resync", RESYNC)

    def _remember(self, batch: list[Any]) -> None:
        if len(self._last_of) > KNOWN_DIALOGS:
            self._last_of.clear()
            self._unknown_to = self._runtime.feed.last
        for one in batch:
            if isinstance(one, Event):
                self._last_of[int(one.dialog)] = one.id
            elif isinstance(one, Gap):
                self._unknown_to = self._runtime.feed.last

    def _missed(self, dialog_id: int, drawn_at: str) -> bool:
        """Say whether something happened in a dialog since a page was drawn."""
        epoch, _, given = drawn_at.partition("-")
        after = int(given) if given.isdigit() else -1
        if epoch != self._runtime.epoch or after < 0:
            return bool(drawn_at)
        return self._last_of.get(dialog_id, self._unknown_to) > after

    async def _deliver(self, batch: list[Any]) -> None:
        """Hand on what was read; who still catches up comes to these facts by himself."""
        connections = list(self._connections.values())
        for item in batch:
            if isinstance(item, Signal):
                await self._signal(item, connections)
            elif isinstance(item, Gap):
                self._standings.forget()
                for one in connections:
                    one.put("resync", RESYNC)
        events = [one for one in batch if isinstance(one, Event)]
        if events:
            following = [one for one in connections if one.follows]
            self._keep(await self._telling.tell(events, following, self._standings))
            self._counting.ask()

    def _keep(self, places: Mapping[DialogId, Place]) -> None:
        if len(self._place_of) + len(places) > KNOWN_DIALOGS:
            self._place_of.clear()
        self._place_of.update(places)

    async def _signal(self, signal: Signal, connections: list[Connection]) -> None:
        place = await self._place(signal.dialog_id)
        if place is None:
            return
        for one in connections:
            if signal.user_id != one.viewer.user_id and one.sees(place):
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

    async def _place(self, dialog_id: DialogId) -> Place | None:
        """Give where a dialog stands: remembered, for every move of it comes through here."""
        known = self._place_of.get(dialog_id)
        if known is None:
            places = (await load_changed(self._runtime, [dialog_id], []))[3]
            self._keep(places)
            known = places.get(dialog_id)
        return known

    # -- one browser -----------------------------------------------------------------------

    async def open(self, request: Request) -> AsyncIterator[bytes]:
        """Stream to one browser until it leaves."""
        state = request.state
        resume = request.headers.get("last-event-id") or request.query_params.get("after", "")
        place, known = self._place_behind(resume)
        connection = Connection(
            id=secrets.token_urlsafe(12),
            hub=state.hub,
            viewer=await state.hub.read(viewer_of),
            language=state.language,
            session=state.session,
            address=state.client,
            last=place,
            full=self._runtime.lacks_room(),
        )
        self._connections[connection.id] = connection
        self._watch(connection, read_opened(request.query_params.get("dialogs", "")))
        try:
            hello = {"k": "hello", "connection": connection.id}
            # Its number is the browser's own: a line that is cut here has told of nothing yet.
            yield write_frame([hello] if known else [hello, RESYNC], self._runtime.epoch, place)
            await self._catch_up(connection)
            async for frame in self._frames(connection):
                yield frame
        finally:
            self._connections.pop(connection.id, None)

    async def _frames(self, connection: Connection) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        beat_at = look_at = loop.time() + HEARTBEAT_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(beat_at):
                    await connection.wake.wait()
            except TimeoutError:
                pass
            else:
                pause = flush_pause(len(self._connections))
                await asyncio.sleep(OPEN_SECONDS if connection.urgent else pause)
            connection.wake.clear()
            items = connection.take()
            if loop.time() >= look_at:
                look_at = loop.time() + HEARTBEAT_SECONDS
                if connection.full != self._runtime.lacks_room():
                    # No fact tells of it: facts find no room either.
                    connection.full = not connection.full
                    items.append({"k": "banners"})
            if items:
                yield write_frame(items, self._runtime.epoch, connection.last)
            elif loop.time() >= beat_at:
                # The page cannot see a comment, and must know a dead connection by its silence.
                yield b"data: []\n\n"
            if items or loop.time() >= beat_at:
                beat_at = loop.time() + HEARTBEAT_SECONDS
            if connection.closed:
                return

    def _place_behind(self, resume: str) -> tuple[int, bool]:
        """Give the number of the fact to go on behind, and whether it is one of ours."""
        newest = self._runtime.feed.last
        if not resume:
            return newest, True
        epoch, _, given = resume.partition("-")
        after = int(given) if given.isdigit() else 0
        if epoch != self._runtime.epoch or after <= 0:
            return newest, False
        return min(after, newest), True

    async def _catch_up(self, connection: Connection) -> None:
        """Send what was missed, or say that it is too much.

        Until nothing is left the browser does not follow: what happens meanwhile, told first,
        would pass for everything that came before it.
        """
        while (newest := self._runtime.feed.last) > connection.last:
            after = connection.last
            if newest - after > MAX_GAP:
                connection.put("resync", RESYNC)
            else:
                events, _ = await self._runtime.database.read(
                    lambda conn, a=after: events_after(  # type: ignore[misc]
                        conn, self._runtime.registry, a, MAX_GAP
                    )
                )
                if missed := [one for one in events if one.id <= newest]:
                    # To this page everything is news, also what the others have counted.
                    await self._telling.tell(missed, [connection], Standings())
                    self._counting.ask()
            connection.last = max(connection.last, newest)
        connection.follows = True

    def watch(self, connection_id: str, user_id: UserId, dialogs: Mapping[int, str]) -> bool:
        """Say which dialogs a browser has open, and at which fact each was drawn.

        What happened between the drawing and this moment was sent to nobody: such a dialog is
        read again.
        """
        connection = self._connections.get(connection_id)
        if connection is None or connection.viewer.user_id != user_id:
            return False
        self._watch(connection, dialogs)
        return True

    def _watch(self, connection: Connection, dialogs: Mapping[int, str]) -> None:
        before, connection.dialogs = connection.dialogs, frozenset(dialogs)
        for dialog_id in connection.dialogs - before:
            if self._missed(dialog_id, dialogs[dialog_id]):
                connection.put(
                    f"whole:{dialog_id}", {"k": "whole", "id": str(dialog_id)}, urgent=True
                )


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
    try:
        body = await request.json()
    except (ValueError, ClientDisconnect):
        # A page that is left in this moment.
        return JSONResponse({"result": False}, 400)
    live: Live = request.app.state.live
    given = body.get("dialogs", [])
    known = live.watch(
        str(body.get("connection", "")),
        request.state.user.id,
        read_opened(",".join(str(one) for one in given)),
    )
    return JSONResponse({"result": known}, 200 if known else 410)


def routes() -> list[Route]:
    """Give the routes of the live stream."""
    return [Route("/live", stream), Route("/live/watch", watch, methods=["POST"])]
