"""The ways to a person: a send's accounts in order, the first one that is allowed, then the next.

A person has one row in a send. While its way cannot be gone (no address, no consent, a closed
window, a failure, no proof of delivery in time) the row moves on to the next account of the send's
order, and what became of the earlier one is a step that can be read. The last word of a row is its
own status and reason, so everybody ends in exactly one state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import Row, func, insert, select, update

from crm_store.many_places import (
    NOT_DELIVERED,
    content_over,
    first_addresses,
    kinds_of,
    words_of,
)
from crm_store.tables.many import many_sends, many_steps
from crm_store.tables.outbox import deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_reached import reached
from dialogs.many_sender import NO_ADDRESS, closed_windows, kept_back, sender_of
from hub.events import DeliveriesQueued
from hub.messages import DeliveryStatus as Status

NOT_SENT = "not_sent_in_time"
NEVER_LEFT = dict.fromkeys(("address_id", "content_id", "sent_at", "charged"), 0)
FINAL = frozenset({"cancelled", "frequency_cap", "answered", "no_contact"})
"""Reasons that are about the person or the send, and not about the way."""
FINAL_LATER = FINAL | {"unsubscribed"}
"""Who refuses while it is under way is not asked again elsewhere."""


class Due(NamedTuple):
    """What a claim found due, and what is asked about it."""

    id: int
    fence: int
    send_id: int
    contact_id: int
    address_id: int
    content_id: int
    account_id: int
    charged: int
    wished_days: int
    """The person wants at most one advertising message in so many days; 0 is no such wish."""


@dataclass(frozen=True, slots=True)
class Way:
    """A person with the account, address and words that are looked at."""

    contact_id: int
    address_id: int
    account_id: int
    content_id: int
    passed: tuple[tuple[int, str], ...] = field(default=())

    @property
    def pair(self) -> tuple[int, int]:
        """The person and the address."""
        return self.contact_id, self.address_id


def choose(
    uow: UnitOfWork, send: Row[Any], people: Sequence[Way], *, first: bool = True
) -> list[tuple[Way, str]]:
    """Give for each person the first way that is allowed, or the last one with why it is not.

    With `first` False the way that each stands at was tried already.
    """
    order = [int(one) for one in send.routes]
    kinds = kinds_of(uow.conn, uow.channels, order) if order else {}
    done: list[tuple[Way, str]] = []
    waiting = list(people)
    final = FINAL if first else FINAL_LATER
    if not first:
        waiting = _next(uow, send, waiting, order, kinds, done)
    while waiting:
        refused = why_not(uow, send, waiting, windows=bool(order))
        left = []
        for one in waiting:
            reason = refused.get(one.pair, "")
            if reason and reason not in final and one.account_id in order[:-1]:
                passed = (*one.passed, (one.account_id, reason))
                left.append(replace(one, passed=passed))
            else:
                done.append((one, reason))
        waiting = _next(uow, send, left, order, kinds, done)
    return done


def _next(
    uow: UnitOfWork,
    send: Row[Any],
    people: Sequence[Way],
    order: Sequence[int],
    kinds: Mapping[int, str],
    done: list[tuple[Way, str]],
) -> list[Way]:
    """Step each person to the next account on which there is an address of his."""
    if not people:
        return []
    found = first_addresses(uow.conn, {one.contact_id for one in people}, kinds)
    words = words_of(uow.conn, send.id)
    going = []
    for one in people:
        start = order.index(one.account_id) + 1 if one.account_id in order else len(order)
        passed = list(one.passed)
        for account_id in order[start:]:
            address_id = found.get((one.contact_id, account_id), 0)
            if address_id:
                content = content_over(words, one.content_id, account_id)
                going.append(Way(one.contact_id, address_id, account_id, content, tuple(passed)))
                break
            passed.append((account_id, NO_ADDRESS))
        else:
            said = [reason for _, reason in passed if reason != NO_ADDRESS] or [NO_ADDRESS]
            # The way that was looked at last keeps the row; why it ended is its newest reason.
            done.append((replace(one, passed=tuple(passed)), said[-1]))
    return going


def own_words(uow: UnitOfWork, send: Row[Any], people: Sequence[Way]) -> list[Way]:
    """Give each person the words of the account he is reached over."""
    if not send.routes:
        return list(people)
    words = words_of(uow.conn, send.id)
    return [
        replace(one, content_id=content_over(words, one.content_id, one.account_id))
        for one in people
    ]


# -- what is allowed ------------------------------------------------------------------------------


def why_not(
    uow: UnitOfWork, send: Row[Any], people: Sequence[Way], *, windows: bool
) -> dict[tuple[int, int], str]:
    """Say whose way may not be gone, and why."""
    found: dict[tuple[int, int], str] = {}
    for account_id in sorted({one.account_id for one in people}):
        mine = [one for one in people if one.account_id == account_id]
        sender = sender_of(uow, account_id)
        found |= kept_back(uow, send, sender, [one.pair for one in mine])
        if windows:
            left = [one for one in mine if one.pair not in found]
            shut = closed_windows(uow, sender, [(one.address_id, one.content_id) for one in left])
            found |= {one.pair: "window_closed" for one in left if one.address_id in shut}
    return found


# -- moving on ------------------------------------------------------------------------------------


def note_steps(
    uow: UnitOfWork,
    steps: Mapping[int, Sequence[tuple[int, str]]],
    left: Mapping[int, Mapping[str, int]] | None = None,
) -> None:
    """Write down which ways of which rows were passed, and why.

    `left` is how the first of them had left, and what it costs though nobody has it yet.
    """
    known: dict[int, int] = dict(
        uow.conn.execute(
            select(many_steps.c.delivery_id, func.max(many_steps.c.n))
            .where(many_steps.c.delivery_id.in_(sorted(steps)))
            .group_by(many_steps.c.delivery_id)
        ).all()
    )
    rows = [
        {
            "delivery_id": number,
            "n": known.get(number, 0) + place,
            "account_id": account_id,
            "reason": reason,
            "at": uow.now,
            **NEVER_LEFT,
            **((left or {}).get(number, {}) if place == 1 else {}),
        }
        for number, passed in sorted(steps.items())
        for place, (account_id, reason) in enumerate(passed, 1)
    ]
    if rows:
        uow.conn.execute(insert(many_steps), rows)


def go_on(uow: UnitOfWork, send: Row[Any], rows: Sequence[tuple[Row[Any] | Due, str]]) -> set[int]:
    """Let rows whose way ended go the next one; gives the ids of those that found one."""
    order = [int(one) for one in send.routes]
    moving = {
        row.id: (row, reason)
        for row, reason in rows
        if row.account_id in order[:-1] and reason not in FINAL_LATER
    }
    # Who was reached by what left already needs no other way, whatever became of this one.
    for number in reached(uow, {row.id: row.contact_id for row, _ in moving.values()}):
        del moving[number]
    if not moving:
        return set()
    people = [
        Way(row.contact_id, row.address_id, row.account_id, row.content_id,
            ((row.account_id, reason),))
        for row, reason in moving.values()
    ]  # fmt: skip
    place = {row.contact_id: row.id for row, _ in moving.values()}
    steps, moved = {}, set()
    for way, reason in choose(uow, send, people, first=False):
        number = place[way.contact_id]
        if reason:
            # What the row ended with stands in the row; the ways that could not be gone are read.
            steps[number] = (*way.passed[1:], *_last(way, moving[number][0], reason))
            continue
        steps[number] = way.passed
        moved.add(number)
        uow.conn.execute(
            update(deliveries)
            .where(deliveries.c.id == number)
            .values(
                account_id=way.account_id, address_id=way.address_id, content_id=way.content_id,
                status=Status.QUEUED.value, due_at=uow.now, attempts=0, leased_until=0,
                fence=deliveries.c.fence + 1, reason="", reason_text="", worker="",
                sent_at=0, delivered_at=0, charged=0,
            )
        )  # fmt: skip
    note_steps(uow, steps, {number: _left(*moving[number]) for number in moved})
    if moved:
        uow.record(DeliveriesQueued(mailing_id=send.mailing_id, send_id=send.id, queued=len(moved)))
    return moved


def _left(row: Row[Any] | Due, reason: str) -> dict[str, int]:
    """Give how a way that is given up had left, and how many messages are to be paid of it."""
    sent_at = 0 if isinstance(row, Due) else int(row.sent_at)
    if not sent_at:
        return {}
    return {
        "address_id": row.address_id,
        "content_id": row.content_id,
        "sent_at": sent_at,
        "charged": max(1, row.charged) if reason == NOT_DELIVERED else 0,
    }


def _last(way: Way, row: Row[Any] | Due, reason: str) -> tuple[tuple[int, str], ...]:
    """The last way was looked at and is not in the row: it is a step too."""
    last = (way.account_id, reason)
    return () if way.account_id == row.account_id or last in way.passed else (last,)


def after_failure(uow: UnitOfWork, row: Row[Any], reason: str) -> bool:
    """A delivery failed for good: try the person's next way; gives whether there is one."""
    send = send_of(uow, row.send_id)
    return send is not None and bool(send.routes) and bool(go_on(uow, send, [(row, reason)]))


def send_of(uow: UnitOfWork, send_id: int) -> Row[Any] | None:
    """Give a send as a claim sees it; a paused one goes on to the next way too, and waits there."""
    row = uow.conn.execute(select(many_sends).where(many_sends.c.id == send_id)).first()
    return None if row is None or row.state == "cancelled" else row
