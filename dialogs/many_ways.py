"""The ways to a person: a send's accounts in order, the first one that is allowed, then the next.

A person has one row in a send. While its way cannot be gone (no address, no consent, a closed
window, a failure, no proof of delivery in time) the row moves on to the next account of the send's
order, and what became of the earlier one is a step that can be read. The last word of a row is its
own status and reason, so everybody ends in exactly one state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, bindparam, func, insert, select, update

from crm_store.consents import refusals
from crm_store.sending_limits import record as limits_record
from crm_store.tables.dialogs import dialogs
from crm_store.tables.many import many_contents, many_sends, many_steps, sending_limits
from crm_store.tables.outbox import attempts, deliveries
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_answers import who_answered
from hub.capabilities import Capabilities
from hub.events import DeliveriesQueued
from hub.messages import DeliveryStatus as Status
from hub.records.many import SendingLimits

MINUTE_US = 60_000_000
NO_ADDRESS = "no_address"
NOT_DELIVERED, NOT_SENT = "not_delivered_in_time", "not_sent_in_time"
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
    kinds = _kinds(uow, order) if order else {}
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
                left.append(_with(one, passed=passed))
            else:
                done.append((one, reason))
        waiting = _next(uow, send, left, order, kinds, done)
    return done


def _with(one: Way, **values: Any) -> Way:
    known = {name: getattr(one, name) for name in Way.__slots__}
    return Way(**{**known, **values})


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
    found = _addresses(uow, {one.contact_id for one in people}, set(kinds.values()))
    words = _words(uow, send.id) if people else {}
    going = []
    for one in people:
        start = order.index(one.account_id) + 1 if one.account_id in order else len(order)
        passed = list(one.passed)
        for account_id in order[start:]:
            address_id = found.get((one.contact_id, kinds.get(account_id, "")), 0)
            if address_id:
                content = _content(words, one.content_id, account_id)
                going.append(Way(one.contact_id, address_id, account_id, content, tuple(passed)))
                break
            passed.append((account_id, NO_ADDRESS))
        else:
            said = [reason for _, reason in passed if reason != NO_ADDRESS] or [NO_ADDRESS]
            # The way that was looked at last keeps the row; why it ended is its newest reason.
            done.append((_with(one, passed=tuple(passed)), said[-1]))
    return going


def _kinds(uow: UnitOfWork, order: Sequence[int]) -> dict[int, str]:
    rows = uow.conn.execute(
        select(accounts.c.id, accounts.c.channel).where(accounts.c.id.in_(order))
    )
    return {
        row.id: uow.channels[row.channel].address_kind
        for row in rows
        if row.channel in uow.channels
    }


def _addresses(
    uow: UnitOfWork, contact_ids: Iterable[int], kinds: Iterable[str]
) -> dict[tuple[int, str], int]:
    rows = uow.conn.execute(
        select(addresses.c.contact_id, addresses.c.kind, func.min(addresses.c.id).label("id"))
        .where(addresses.c.contact_id.in_(sorted(contact_ids)), addresses.c.kind.in_(sorted(kinds)))
        .group_by(addresses.c.contact_id, addresses.c.kind)
    )
    return {(row.contact_id, row.kind): row.id for row in rows}


def _words(uow: UnitOfWork, send_id: int) -> dict[int, tuple[str, int]]:
    """Give variant and account of each version of a send's words."""
    rows = uow.conn.execute(
        select(many_contents.c.id, many_contents.c.variant, many_contents.c.account_id).where(
            many_contents.c.send_id == send_id
        )
    )
    return {row.id: (row.variant, row.account_id) for row in rows}


def _content(words: Mapping[int, tuple[str, int]], content_id: int, account_id: int) -> int:
    """Give the words of the same variant for an account: its own ones, else those for all."""
    variant = words.get(content_id, ("", 0))[0]
    own = {place[1]: number for number, place in words.items() if place[0] == variant}
    return own.get(account_id) or own.get(0) or content_id


def own_words(uow: UnitOfWork, send: Row[Any], people: Sequence[Way]) -> list[Way]:
    """Give each person the words of the account he is reached over."""
    if not send.routes:
        return list(people)
    words = _words(uow, send.id)
    return [
        _with(one, content_id=_content(words, one.content_id, one.account_id)) for one in people
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


@dataclass(frozen=True, slots=True)
class Sender:
    """An account as what is sent over it asks: read once for all that is asked."""

    id: int
    capabilities: Capabilities | None
    paused: bool = False
    removed: bool = False
    limits: SendingLimits | None = None


def sender_of(uow: UnitOfWork, account_id: int) -> Sender:
    """Read an account with how fast it may send to many; one that is gone counts as removed."""
    row = uow.conn.execute(_sender(), {"account": account_id}).first()
    if row is None:
        return Sender(account_id, None, removed=True)
    limits = limits_record(row) if row.account_id is not None else None
    return Sender(account_id, uow.channels.get(row.channel), row.paused, row.removed, limits)


@cache
def _sender() -> Select[Any]:
    # Asked at every claim: made once.
    return (
        select(accounts.c.channel, accounts.c.paused, accounts.c.removed, sending_limits)
        .outerjoin_from(accounts, sending_limits, sending_limits.c.account_id == accounts.c.id)
        .where(accounts.c.id == bindparam("account"))
    )


def kept_back(
    uow: UnitOfWork, send: Row[Any], sender: Sender, people: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """Say who of one account's recipients may not be sent it, and why."""
    capabilities = sender.capabilities
    if sender.removed or capabilities is None or not capabilities.sends:
        return dict.fromkeys(people, "no_account")
    found: dict[tuple[int, int], str] = {one: NO_ADDRESS for one in people if one[1] <= 0}
    if not capabilities.initiates:
        ids = [one[1] for one in people]
        wrote = set(
            uow.conn.execute(
                select(dialogs.c.address_id).where(
                    dialogs.c.address_id.in_(ids),
                    dialogs.c.account_id == sender.id,
                    dialogs.c.inbound_count > 0,
                )
            ).scalars()
        )
        found |= {one: "never_wrote" for one in people if one[1] not in wrote and one not in found}
    if send.advertising:
        found |= refusals(
            uow.conn,
            people,
            channel=capabilities.address_kind,
            topic=send.topic,
            account_id=sender.id,
            need_consent=send.need_consent,
        )
    if send.stops_when_answered:
        answered = who_answered(uow, send, [one[0] for one in people])
        found |= {one: "answered" for one in people if one[0] in answered}
    return found


def closed_windows(uow: UnitOfWork, sender: Sender, rows: Sequence[tuple[int, int]]) -> set[int]:
    """Give the addresses whose reply window is closed to these words: only a template may go."""
    if not rows or sender.capabilities is None or sender.capabilities.reply_window is None:
        return set()
    plain = set(
        uow.conn.execute(
            select(many_contents.c.id).where(
                many_contents.c.id.in_({content for _, content in rows}),
                many_contents.c.template == "",
            )
        ).scalars()
    )
    needs = {address for address, content in rows if content in plain}
    if not needs:
        return set()
    open_to = set(
        uow.conn.execute(
            select(dialogs.c.address_id).where(
                dialogs.c.account_id == sender.id,
                dialogs.c.address_id.in_(needs),
                dialogs.c.window_until > uow.now,
            )
        ).scalars()
    )
    return needs - open_to


# -- moving on ------------------------------------------------------------------------------------


def note_steps(
    uow: UnitOfWork,
    steps: Mapping[int, Sequence[tuple[int, str]]],
    charged: Mapping[int, int] | None = None,
) -> None:
    """Write down which ways of which rows were passed, and why.

    `charged` is what had left on the first of them and costs money though nobody has it yet.
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
            "charged": (charged or {}).get(number, 0) if place == 1 else 0,
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
    note_steps(uow, steps, {number: _paid(*moving[number]) for number in moved})
    if moved:
        uow.record(DeliveriesQueued(mailing_id=send.mailing_id, send_id=send.id, queued=len(moved)))
    return moved


def _paid(row: Row[Any] | Due, reason: str) -> int:
    """Give how many messages are to be paid of a way that is given up: those that had left."""
    return max(1, row.charged) if reason == NOT_DELIVERED else 0


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


# -- in time --------------------------------------------------------------------------------------


def patience(uow: UnitOfWork, rows: Iterable[Row[Any]]) -> dict[int, int]:
    """Give for rows of sends that fall back in time how long each waits, in microseconds."""
    ids = {row.send_id for row in rows if row.send_id}
    if not ids:
        return {}
    sends = {
        row.id: row
        for row in uow.conn.execute(
            select(many_sends.c.id, many_sends.c.routes, many_sends.c.fall_back_after).where(
                many_sends.c.id.in_(ids), many_sends.c.fall_back_after > 0
            )
        )
    }
    return {
        row.id: sends[row.send_id].fall_back_after * MINUTE_US
        for row in rows
        if row.send_id in sends
        and row.account_id in [int(one) for one in sends[row.send_id].routes][:-1]
    }


def tells_delivery(uow: UnitOfWork, account_id: int) -> bool:
    """Say whether a channel reports that a message arrived: where it does not, sent is all we know."""
    channel = uow.conn.execute(
        select(accounts.c.channel).where(accounts.c.id == account_id)
    ).scalar()
    capabilities = uow.channels.get(channel or "")
    return capabilities is not None and capabilities.receipts in ("delivered", "read")


def first_try(uow: UnitOfWork, delivery_id: int, default: int) -> int:
    """Give when a delivery was tried first on its way."""
    since = uow.conn.execute(
        select(func.max(many_steps.c.at)).where(many_steps.c.delivery_id == delivery_id)
    ).scalar()
    found = uow.conn.execute(
        select(func.min(attempts.c.started_at)).where(
            attempts.c.delivery_id == delivery_id, attempts.c.started_at >= (since or 0)
        )
    ).scalar()
    return int(found or default)


def out_of_time(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> int:
    """Rows that were sent and never told as delivered, or not sent in time: the next way.

    What has no other way stays as it is: sent without a proof, or waiting on.
    """
    moved = 0
    by_send: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_send.setdefault(row.send_id, []).append(row)
    for send_id, mine in by_send.items():
        send = send_of(uow, send_id)
        gone: set[int] = set()
        if send is not None:
            late = [
                (row, NOT_DELIVERED if row.status == Status.SENT.value else NOT_SENT)
                for row in mine
            ]
            gone = go_on(uow, send, late)
        stay = [row.id for row in mine if row.id not in gone]
        if stay:
            uow.conn.execute(
                update(deliveries).where(deliveries.c.id.in_(stay)).values(leased_until=0)
            )
        moved += len(gone)
    return moved
