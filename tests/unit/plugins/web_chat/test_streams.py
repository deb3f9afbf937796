"""Visitors' event streams: each hears of his own dialogs, and none outlives its reader."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from hub import AccountId, DialogId, Event, MessageChanged, MessageId, NotFound, ServerEvent
from plugins.web_chat import streams as module
from plugins.web_chat.streams import MAX_STREAMS, Streams

SHOP = AccountId(7)
PEERS = {DialogId(1): "vera", DialogId(2): "boris"}


class Facts:
    """The part of a hub that streams use."""

    log = logging.getLogger("test")

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self.looked_up: list[DialogId] = []

    async def events(self, types: Sequence[str]) -> AsyncIterator[Event]:
        while True:
            found = await self.queue.get()
            if isinstance(found, Exception):
                raise found
            yield found

    async def dialog(self, dialog_id: DialogId) -> Any:
        self.looked_up.append(dialog_id)
        if dialog_id not in PEERS:
            raise NotFound("there is no such dialog")
        return SimpleNamespace(account_id=SHOP, address=PEERS[dialog_id])

    def happen(self, dialog_id: int) -> None:
        self.queue.put_nowait(
            MessageChanged(message_id=MessageId(5), dialog_id=DialogId(dialog_id), what="edited")
        )


async def following(stream: AsyncIterator[ServerEvent]) -> str:
    async with asyncio.timeout(20):
        return (await anext(stream)).event


def listen(streams: Streams, facts: Facts, visitor: str) -> Any:
    return streams.listen(facts, SHOP, visitor)  # type: ignore[arg-type]


async def test_a_fact_wakes_its_visitor_only() -> None:
    streams, facts = Streams(), Facts()
    async with (
        aclosing(listen(streams, facts, "vera")) as vera,
        aclosing(listen(streams, facts, "boris")) as boris,
    ):
        assert [await following(vera), await following(boris)] == ["hello", "hello"]
        facts.happen(99)
        facts.happen(1)
        facts.happen(1)
        assert await following(vera) == "changed"
        streams.tell(SHOP, "boris", "typing", "Anna")
        typing = await anext(boris)
        assert (typing.event, typing.data) == ("typing", '{"value": "Anna"}')
        assert facts.looked_up.count(DialogId(1)) == 1
    assert streams.count(SHOP, "vera") == 0
    await streams.close()


async def test_many_events_at_once_are_told_once() -> None:
    streams, facts = Streams(), Facts()
    async with aclosing(listen(streams, facts, "vera")) as vera:
        await following(vera)
        for _ in range(50):
            streams.tell(SHOP, "vera", "changed")
        streams.tell(SHOP, "vera", "seen", "12")
        assert [await following(vera), await following(vera)] == ["changed", "seen"]
    await streams.close()


async def test_when_the_reader_fails_browsers_come_back_to_a_new_one() -> None:
    streams, facts = Streams(), Facts()
    first = listen(streams, facts, "vera")
    await following(first)
    facts.queue.put_nowait(RuntimeError("the feed is gone"))
    with pytest.raises(StopAsyncIteration):
        await following(first)
    async with aclosing(listen(streams, facts, "vera")) as again:
        await following(again)
        facts.happen(1)
        assert await following(again) == "changed"
    await streams.close()


async def test_too_many_streams_of_one_visitor_end_the_oldest() -> None:
    streams, facts = Streams(), Facts()
    opened = [listen(streams, facts, "vera") for _ in range(MAX_STREAMS + 1)]
    for one in opened:
        await following(one)
    with pytest.raises(StopAsyncIteration):
        await following(opened[0])
    assert streams.count(SHOP, "vera") == MAX_STREAMS
    await streams.close()
    for one in opened[1:]:
        with pytest.raises(StopAsyncIteration):
            await following(one)


async def test_a_quiet_stream_beats_and_looks_for_itself_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(module, "LOOK_EVERY", 3)
    streams, facts = Streams(), Facts()
    async with aclosing(listen(streams, facts, "vera")) as vera:
        heard = [await following(vera) for _ in range(7)]
    assert heard == ["hello", "beat", "beat", "changed", "beat", "beat", "changed"]
    await streams.close()
