"""Sending to many: planned once, given its recipients in batches, paused, resumed, cancelled.

Each person has one narrow row of `deliveries` in a send, also who may not be sent it: then with
the reason, so that the numbers always add up. The words are filled in when a row is claimed.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    insert,
    select,
    update,
)

from crm_store.buckets import MOST_MINUTES
from crm_store.rows import insert_missing, numbered, numbers
from crm_store.sql import locked, plan_anew, unindexed
from crm_store.tables.many import many_contents, many_sends
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.unit_of_work import UnitOfWork
from dialogs.many_chain import due_dates
from dialogs.many_ways import Way, choose, note_steps, own_words
from dialogs.many_words import check_content, content_row
from hub.commands import (
    ManyQueued,
    ManyRecipient,
    PlanMany,
    SendMany,
    SteerMany,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import DeliveriesQueued, SendSteered
from hub.ids import ContactId
from hub.messages import DeliveryStatus as Status
from hub.messages import Lane
from hub.objects import ActorKind

PAUSED = "paused"
STATES = ("running", "paused", "cancelled")
MAX_BATCH = 2_000
PLACE = ("contact_id", "address_id")


def plan_many(uow: UnitOfWork, command: PlanMany) -> tuple[int, tuple[int, ...]]:
    """Make a send, or give the one of this mailing, occurrence and step."""
    known = uow.conn.execute(
        select(many_sends.c.id).where(
            many_sends.c.mailing_id == command.mailing_id,
            many_sends.c.occurrence == command.occurrence,
            many_sends.c.step == command.step,
        )
    ).scalar()
    if known:
        ids = uow.conn.execute(
            select(many_contents.c.id)
            .where(many_contents.c.send_id == known)
            .order_by(many_contents.c.id)
        ).scalars()
        return int(known), tuple(ids)
    if not command.contents:
        raise Invalid("a mailing needs words", field="contents")
    if not 0 <= command.quiet_from < 1440 or not 0 <= command.quiet_until < 1440:
        raise Invalid("quiet hours are minutes of the day", field="quiet_from")
    if not all(0 < one <= MOST_MINUTES for one in (command.minutes, command.domain_minutes)):
        raise Invalid("a limit is for 1 to 1440 minutes", field="minutes")
    by_person = uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
    send_id = uow.new_id()
    uow.conn.execute(
        insert(many_sends).values(
            id=send_id,
            mailing_id=command.mailing_id,
            occurrence=command.occurrence,
            step=command.step,
            days=command.days,
            title=command.title[:400],
            topic=command.topic[:100],
            advertising=command.advertising,
            need_consent=command.need_consent,
            state="running",
            quiet_from=command.quiet_from,
            quiet_until=command.quiet_until,
            cap_count=command.cap_count,
            cap_days=command.cap_days,
            per_minute=command.per_minute,
            minutes=command.minutes,
            domain_per_minute=command.domain_per_minute,
            domain_minutes=command.domain_minutes,
            routes=[str(one) for one in dict.fromkeys(command.routes)],
            fall_back_after=command.fall_back_after,
            stops_when_answered=command.stops_when_answered,
            created_at=uow.now,
            user_id=uow.actor.id if by_person else 0,
        )
    )
    made = []
    for content in command.contents:
        check_content(content, command.advertising)
        made.append(content_row(uow.new_id(), send_id, content))
    uow.conn.execute(insert(many_contents), made)
    return send_id, tuple(one["id"] for one in made)


def send_many(uow: UnitOfWork, command: SendMany) -> ManyQueued:
    """Write one row per recipient; who is there already is left alone."""
    if len(command.recipients) > MAX_BATCH:
        raise Invalid(f"at most {MAX_BATCH} recipients at once", field="recipients")
    send = _send(uow, command.send_id)
    if send.state == "cancelled":
        raise Conflict("this send was cancelled", what="cancelled")
    fresh = _fresh(uow, command)
    due = due_dates(uow, send, fresh)
    compared = {one.contact_id for one in fresh if one.aside}
    aside = []
    people = [Way(one.contact_id, one.address_id, one.account_id, one.content_id) for one in fresh]
    rows, reasons, steps = [], Counter[str](), {}
    for way, reason in choose(uow, send, own_words(uow, send, people)):
        if not reason and way.contact_id in compared:
            aside.append(ContactId(way.contact_id))
            continue
        reasons[reason] += 1
        number = uow.new_id()
        if way.passed:
            steps[number] = way.passed
        rows.append(
            {
                "id": number,
                "account_id": way.account_id,
                # Nobody's address is everybody's own: a person without one has a row all the same.
                "address_id": way.address_id or -way.contact_id,
                "contact_id": way.contact_id,
                "content_id": way.content_id,
                "send_id": send.id,
                "lane": Lane.MAILING.order,
                "status": Status.SUPPRESSED.value if reason else Status.QUEUED.value,
                "reason": reason,
                "due_at": due[way.contact_id],
                "created_at": uow.now,
                # A person stands in a send once: that is what makes it once.
                "idempotency_key": "",
            }
        )
    if rows:
        insert_missing(uow.conn, deliveries, rows)
    if steps:
        note_steps(uow, steps)
    queued = reasons.pop("", 0)
    uow.record(
        DeliveriesQueued(
            mailing_id=send.mailing_id,
            send_id=send.id,
            queued=queued,
            kept_back=sum(reasons.values()),
        )
    )
    return ManyQueued(
        queued=queued,
        kept_back=tuple(sorted(reasons.items())),
        known=len(command.recipients) - len(fresh),
        aside=tuple(aside),
    )


def _send(uow: UnitOfWork, send_id: int) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(many_sends).where(many_sends.c.id == send_id))
    ).first()
    if row is None:
        raise NotFound("there is no such send")
    return row


@cache
def already_there(dialect: str) -> Select[tuple[int, int, int, int]]:
    """Make the question who of these recipients is in a send already, by person or by address."""
    given = numbers(dialect, PLACE)
    # Each asked by itself, by its own index and written as that is: asked together they walk
    # through the send. PostgreSQL, to which a new send is one row, would do so by person too.
    send_id: ColumnElement[int] = deliveries.c.send_id
    by_person = unindexed(send_id) if dialect == "postgresql" else send_id
    there = select(deliveries.c.id).where(TO_MANY)

    def found(name: str, by: ColumnElement[int]) -> ColumnElement[int]:
        where = (by == bindparam("b_send"), deliveries.c[name] == given.c[name])
        return there.where(*where).scalar_subquery().label(f"by_{name}")

    return select(
        *(given.c[name] for name in PLACE),
        found("contact_id", by_person),
        found("address_id", send_id),
    )


def _fresh(uow: UnitOfWork, command: SendMany) -> list[ManyRecipient]:
    """Give the recipients who are not there yet, each person and each address once."""
    places = [(one.contact_id, one.address_id) for one in command.recipients]
    asked = {**numbered(uow.dialect, PLACE, places), "b_send": command.send_id}
    plan_anew(uow.conn)
    there = uow.conn.execute(already_there(uow.dialect), asked).all()
    people = {row.contact_id for row in there if row.by_contact_id}
    used = {row.address_id for row in there if row.by_address_id}
    fresh = []
    for one in command.recipients:
        if one.contact_id not in people and (not one.address_id or one.address_id not in used):
            people.add(one.contact_id)
            used.add(one.address_id)
            fresh.append(one)
    return fresh


def steer_many(uow: UnitOfWork, command: SteerMany) -> int:
    """Pause, resume or cancel; gives how many waiting rows changed at once.

    A paused send's rows leave the queue as they are met, so that pausing a million costs nothing.
    """
    if command.state not in STATES:
        raise Invalid("a send is running, paused or cancelled", field="state")
    send = _send(uow, command.send_id)
    if send.state == "cancelled":
        raise Conflict("this send was cancelled", what="cancelled")
    uow.conn.execute(
        update(many_sends).where(many_sends.c.id == send.id).values(state=command.state)
    )
    changed = 0
    mine = (deliveries.c.send_id == send.id) & TO_MANY
    if command.state == "running":
        changed = uow.conn.execute(
            update(deliveries)
            .where(mine, deliveries.c.status == PAUSED)
            .values(status=Status.QUEUED.value)
        ).rowcount
    elif command.state == "cancelled":
        changed = uow.conn.execute(
            update(deliveries)
            .where(mine, deliveries.c.status.in_((PAUSED, Status.QUEUED.value)))
            .values(status=Status.SUPPRESSED.value, reason="cancelled")
        ).rowcount
    uow.record(
        SendSteered(
            mailing_id=send.mailing_id,
            send_id=send.id,
            state=command.state,
            reason=command.reason[:200],
        )
    )
    return int(changed)
