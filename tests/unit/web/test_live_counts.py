"""Whose numbers are counted anew after a fact: of those who see a dialog that changed its view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast

import pytest

from crm_store.database import Database
from crm_store.viewer import Viewer
from hub import (
    AccountId,
    AddressId,
    ContactId,
    Dialog,
    DialogId,
    DialogStatus,
    MessageId,
    Micros,
    TeamId,
    UserId,
)
from hub.handle import BoundHub
from hub.records.system import Counters
from hub.web.live_connection import Connection, Place
from hub.web.live_counts import Counting, Standings, counts_anew

NOBODY: frozenset[tuple[int, DialogId]] = frozenset()


def waiting(assignee: int = 0) -> Dialog:
    return Dialog(
        id=DialogId(1), account_id=AccountId(1), channel="loop", contact_id=ContactId(1),
        address_id=AddressId(1), contact_name="Anna", address="anna", address_kind="loop",
        subject="", status=DialogStatus.OPEN, assignee_id=UserId(assignee), team_id=TeamId(0),
        priority=0, snoozed_until=Micros(0), created_at=Micros(1), closed_at=Micros(0),
        last_at=Micros(5), last_message_id=MessageId(1), last_direction="in", preview="hello",
        waiting_since=Micros(5), last_inbound_at=Micros(5), inbound_count=1, message_count=1,
        failed=False, group=False, thread_key="", merged_into=DialogId(0), version=1,
    )  # fmt: skip


def told(standings: Standings, one: Dialog) -> frozenset[DialogId]:
    place = Place(account_id=AccountId(1), assignee_id=one.assignee_id, team_id=TeamId(0))
    return standings.changed([one], {one.id: place})


def test_a_further_message_of_a_dialog_that_waits_already_changes_no_number() -> None:
    standings, one = Standings(), waiting()
    assert told(standings, one) == {one.id}
    assert told(standings, replace(one, waiting_since=Micros(9), inbound_count=2)) == frozenset()


def test_whatever_moves_a_dialog_between_views_changes_numbers() -> None:
    one = waiting()
    for changed in (
        replace(one, status=DialogStatus.CLOSED),
        replace(one, snoozed_until=Micros(9)),
        replace(one, waiting_since=Micros(0)),
        replace(one, failed=True),
        replace(one, merged_into=DialogId(2)),
        replace(one, assignee_id=UserId(3)),
    ):
        standings = Standings()
        told(standings, one)
        assert told(standings, changed) == {one.id}


def test_after_facts_that_nobody_heard_everything_counts_as_changed() -> None:
    standings, one = Standings(), waiting()
    told(standings, one)
    standings.forget()
    assert told(standings, one) == {one.id}


def test_who_is_counted_for_anew() -> None:
    one = waiting(assignee=7)
    assert counts_anew(UserId(1), [one], frozenset({one.id}), NOBODY)
    # What is unread is counted in one's own dialogs, and one's own acts change one's own marks.
    assert counts_anew(UserId(7), [one], frozenset(), NOBODY)
    assert counts_anew(UserId(1), [one], frozenset(), frozenset({(UserId(1), one.id)}))
    assert not counts_anew(UserId(1), [one], frozenset(), frozenset({(UserId(2), one.id)}))
    assert not counts_anew(UserId(1), [], frozenset({one.id}), NOBODY)


class Readings:
    """Stands for the database: who was counted for in each reading."""

    def __init__(self) -> None:
        self.people: list[list[UserId]] = []

    async def read(self, function: Callable[[Any], Any]) -> Any:
        return function(None)

    def counters_of(self, _: Any, viewers: Iterable[Viewer]) -> dict[Viewer, Counters]:
        viewers = list(viewers)
        self.people.append([one.user_id for one in viewers])
        return {one: numbers(one.user_id) for one in viewers}


def numbers(mine: int) -> Counters:
    return Counters(
        mine=mine, unassigned=0, all=0, waiting=0, mentions=0, snoozed=0, failed=0, unread=0
    )


async def test_each_person_is_counted_for_once_however_many_pages_he_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings = Readings()
    monkeypatch.setattr("hub.web.live_counts.counters_of", readings.counters_of)
    pages = [
        Connection(
            id=str(n), hub=cast(BoundHub, None), viewer=Viewer(user_id=UserId(user)), language="en",
            session="s", address="192.0.2.1", counts=n != 3,
        )
        for n, user in enumerate((7, 7, 8, 8))
    ]  # fmt: skip
    counting = Counting(cast(Database, readings), lambda: pages)
    task = asyncio.create_task(counting.run())
    counting.ask()
    await asyncio.gather(*(one.wake.wait() for one in pages[:3]))
    assert readings.people == [[7, 8]]
    assert [[cast(Any, item)["v"]["mine"] for item in one.take()] for one in pages] == [
        [7], [7], [8], [],
    ]  # fmt: skip
    assert not any(one.counts for one in pages)
    task.cancel()
