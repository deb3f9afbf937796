"""What followers of the journal are handed from memory, and when they must read for themselves."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from hub.events import DeskChanged, Event, EventRegistry, ViewChanged
from hub.feed import Feed
from hub.following import KEPT, Recent
from hub.ids import EventId, Micros, UserId
from hub.objects import DIRECT, SYSTEM


def fact(number: int) -> Event:
    return ViewChanged(view_id=1).stamped(
        id=EventId(number), at=Micros(1), actor=SYSTEM, cause=DIRECT
    )


def numbers(found: tuple[list[Event], int] | None) -> tuple[list[int], int] | None:
    return None if found is None else ([one.id for one in found[0]], found[1])


def test_a_follower_gets_what_is_behind_its_place() -> None:
    recent = Recent()
    recent.start(10)
    recent.add([fact(11), fact(12), fact(14)], 15)
    assert numbers(recent.after(10, 100)) == ([11, 12, 14], 15)
    assert numbers(recent.after(12, 100)) == ([14], 15)
    # Facts that nobody knows are not here; the place behind them is.
    assert numbers(recent.after(14, 100)) == ([], 15)
    assert numbers(recent.after(15, 100)) == ([], 15)


def test_a_page_ends_at_its_last_fact() -> None:
    recent = Recent()
    recent.start(0)
    recent.add([fact(n) for n in range(1, 8)], 9)
    assert numbers(recent.after(0, 3)) == ([1, 2, 3], 3)
    assert numbers(recent.after(3, 4)) == ([4, 5, 6, 7], 9)


def test_one_that_is_far_behind_reads_for_itself() -> None:
    recent = Recent()
    recent.start(10)
    assert recent.after(9, 100) is None
    recent.add([fact(n) for n in range(11, 11 + 2 * KEPT + 1)], 10 + 2 * KEPT + 1)
    assert recent.after(10, 100) is None
    assert recent.begin == KEPT + 11
    first, _ = recent.after(recent.begin, 2) or ([], 0)
    assert [one.id for one in first] == [recent.begin + 1, recent.begin + 2]
    rest, last = recent.after(recent.begin, 2 * KEPT) or ([], 0)
    assert (len(rest), last) == (KEPT, 10 + 2 * KEPT + 1)


async def test_nobody_is_woken_for_what_it_does_not_want() -> None:
    feed = Feed(cast(Any, None), EventRegistry())
    feed.recent.start(10)
    async with feed.follow("desks", 10, lambda one: isinstance(one, DeskChanged)) as follower:
        waiting = asyncio.create_task(follower.next(100))
        _tell(feed, fact(11), 12)
        await asyncio.sleep(0.01)
        assert not waiting.done()
        _tell(feed, desk(13), 13)
        assert numbers(await waiting) == ([13], 13)
    assert not feed.followers


async def test_a_place_is_told_where_nothing_was_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.following.TELL_SECONDS", 0.01)
    feed = Feed(cast(Any, None), EventRegistry())
    feed.recent.start(10)
    async with feed.follow("desks", 10, lambda one: isinstance(one, DeskChanged)) as follower:
        _tell(feed, fact(11), 12)
        assert await follower.next(100) == ([], 12)
        waiting = asyncio.create_task(follower.next(100))
        await asyncio.sleep(0.05)
        # It stands where it stood: there is nothing to write down.
        assert not waiting.done()
        waiting.cancel()


def _tell(feed: Feed, event: Event, last: int) -> None:
    feed.recent.add([event], last)
    for one in feed.followers:
        one.offer([event])


def desk(number: int) -> Event:
    return DeskChanged(user_id=UserId(1)).stamped(
        id=EventId(number), at=Micros(1), actor=SYSTEM, cause=DIRECT
    )
