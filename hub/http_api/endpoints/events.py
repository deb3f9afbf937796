"""The journal: everything that happened, in order, from where the reader stopped.

A place in the journal is `<epoch>-<n>`. A restore begins a new epoch: places of the old one are
answered by `resync`, because what they followed may never have happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import orjson
from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from crm_store.journal import events_after, last_event, visible
from crm_store.viewer import Reader
from hub.errors import Conflict, Invalid
from hub.events import Event, NetworksChanged, SessionsRevoked, TokenChanged, UserChanged
from hub.feed import Item, Subscription
from hub.http_api import rights
from hub.http_api.caller import Caller, Callers, runtime_of
from hub.http_api.errors import failures
from hub.http_api.shapes import system as s
from hub.web import networks
from hub.webhook_sender import wants
from hub.wire_json import event_json

router = rights.router("Events")

BATCH = 500
QUIET_SECONDS = 15.0
ENDING = NetworksChanged | TokenChanged | UserChanged | SessionsRevoked
"""After these a stream may have to end."""
"""How often a stream with nothing to say shows that it lives, and asks whether it still may."""

After = Annotated[
    str,
    Query(
        max_length=60,
        description="The id of the last fact you know, or `next` of the last answer. Left out: "
        "from the beginning. `now`: only what comes.",
    ),
]
Types = Annotated[
    str,
    Query(
        max_length=2000,
        description="Types, separated by commas; `dialog.*` is a family. Left out: all.",
    ),
]


async def place_of(caller: Caller, after: str) -> int:
    """Read a place in the journal; raises Conflict `resync` for one that is not of it."""
    epoch = caller.hub.runtime.epoch
    newest: int = await caller.hub.read(lambda reader: last_event(reader.conn))
    if after == "now":
        return newest
    if not after:
        return 0
    given, dash, number = after.rpartition("-")
    if not dash or not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise Invalid("a place in the journal is <epoch>-<number>", field="after")
    if given != epoch or int(number) > newest:
        raise Conflict(
            "this place is not of this journal: read everything again and go on from `next`",
            what="resync",
            details={"epoch": epoch, "next": f"{epoch}-{newest}"},
        )
    return int(number)


async def read_on(
    caller: Caller, after: int, types: Sequence[str], limit: int
) -> tuple[list[Event], int]:
    """Read facts after a place that the caller may see and wants; gives the place behind them."""
    registry = caller.hub.runtime.registry

    def run(reader: Reader) -> tuple[list[Event], int]:
        reader.viewer.need("events.view")
        found, last = events_after(reader.conn, registry, after, limit)
        return [one for one in visible(reader, found) if wants(types, one.type)], last

    found: tuple[list[Event], int] = await caller.hub.read(run)
    return found


def _types(given: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in given.split(",") if one.strip()) or ("*",)


@router.get("/events", summary="Read the journal", responses=failures(409))
async def page(
    request: Request,
    caller: rights.MayViewEvents,
    after: After = "",
    types: Types = "",
    limit: Annotated[int, Query(ge=1, le=BATCH)] = 100,
    wait: Annotated[
        int, Query(ge=0, le=30, description="Seconds to wait where there is nothing yet.")
    ] = 0,
) -> s.Events:
    """Give facts in commit order. Keep `next` with your own data and ask again with it: nothing
    is skipped, and nothing comes twice. 409 `resync`: the place is of another epoch."""
    runtime = caller.hub.runtime
    wanted = _types(types)
    place = await place_of(caller, after)
    end = time.monotonic() + wait
    stopping: asyncio.Event = request.app.state.stopping
    async with runtime.feed.subscribe() as subscription:
        while True:
            found, last = await read_on(caller, place, wanted, limit)
            newest: int = await caller.hub.read(lambda reader: last_event(reader.conn))
            place, left = last, end - time.monotonic()
            if found or left <= 0 or stopping.is_set():
                break
            if last >= newest:
                await _news(subscription, stopping, left)
    epoch = runtime.epoch
    return s.Events(
        events=[s.Event.model_validate(event_json(one, epoch)) for one in found],
        next=f"{epoch}-{place}",
        more=place < newest,
    )


@router.get("/events/types", summary="Types of facts")
async def types(request: Request, caller: rights.MayViewEvents) -> s.EventTypes:
    """Give every type of fact this hub knows, plugins' included."""
    return s.EventTypes(types=runtime_of(request).registry.names())


@router.get(
    "/events/stream",
    summary="Follow the journal",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "Server-sent events: `id`, `event` (the type) and `data` (the fact).",
        },
        **failures(409),
    },
)
async def stream(
    request: Request,
    caller: rights.MayViewEvents,
    after: After = "now",
    types: Types = "",
    last_event_id: Annotated[
        str, Header(max_length=60, description="Sent by browsers that come back.")
    ] = "",
) -> StreamingResponse:
    """Follow facts as server-sent events. After a cut, come back with `Last-Event-ID`. The
    stream ends when the token or the right does."""
    place = await place_of(caller, last_event_id or after)
    return StreamingResponse(
        _follow(request, caller, place, _types(types)),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _follow(
    request: Request, caller: Caller, place: int, wanted: Sequence[str]
) -> AsyncIterator[bytes]:
    runtime = runtime_of(request)
    stopping: asyncio.Event = request.app.state.stopping
    async with runtime.feed.subscribe() as subscription:
        yield f"id: {runtime.epoch}-{place}\nretry: 2000\n: here\n\n".encode()
        asked = time.monotonic()
        while not stopping.is_set():
            if time.monotonic() - asked > QUIET_SECONDS:
                asked = time.monotonic()
                if not await _still_may(request, caller):
                    return
            found, last = await read_on(caller, place, wanted, BATCH)
            for one in found:
                yield _sse(one, runtime.epoch)
            if last > place:
                if not found:
                    # The reader's place moves over what it did not ask for, too.
                    yield f"id: {runtime.epoch}-{last}\n\n".encode()
                place = last
                continue
            news = await _news(subscription, stopping, QUIET_SECONDS)
            if not news:
                yield b": still here\n\n"
            elif any(isinstance(one, ENDING) for one in news):
                asked = 0.0


async def _news(
    subscription: Subscription, stopping: asyncio.Event, seconds: float
) -> Sequence[Item]:
    """Wait for something to happen, for the end of the server, or for so long."""
    news = asyncio.create_task(subscription.get())
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({news, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return news.result() if news.done() else ()
    finally:
        news.cancel()
        stop.cancel()


async def _still_may(request: Request, caller: Caller) -> bool:
    callers: Callers = request.app.state.callers
    runtime = runtime_of(request)
    await networks.renew(runtime)
    if not networks.admits(runtime, request.state.client):
        return False
    if caller.token_hash:
        now = await callers.by_token(caller.token_hash)
        return now is not None and now.viewer.may("events.view")
    return await callers.has_session(request) and await caller.hub.may("events.view")


def _sse(event: Event, epoch: str) -> bytes:
    data = event_json(event, epoch)
    return f"id: {data['id']}\nevent: {event.type}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"
