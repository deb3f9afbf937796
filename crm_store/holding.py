"""Holding: what should have left long ago waits for a person's word instead of leaving late.

After a restore, or a start long after the last sign of life, nothing old leaves unasked: the
administrator sees the counts and lets it go or drops it (`ReleaseHeld`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    update,
)

from crm_store.journal import cursor, get_meta, last_event, set_meta
from crm_store.sql import upsert
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import cursors, parked_events
from crm_store.tables.outbox import deliveries, jobs, webhook_deliveries
from crm_store.tables.people import contacts
from crm_store.tables.pushes import pushes
from crm_store.tables.rules import rule_timers
from crm_store.tables.users import accounts, users
from crm_store.viewer import Reader
from hub.ids import DeliveryId, DialogId, Micros
from hub.records.system import Held, HeldDelivery

ALIVE = "alive_at"
HOLD_FACTS_TO = "hold_facts_to"
HOLDING = "holding"
"""Whether something waits for a person's word: asked with every page of whoever decides."""
HELD = "held"
"""Why a message of ours waits: nobody has decided on it yet."""
PERIODIC = "periodic"
"""Key of the jobs that come round by themselves: house work, never held."""

BEGINS = 200
"""So many signs tell which message it is."""
PARKED_AT_MOST = 1000
WEBHOOK_CURSOR = "webhooks"


@dataclass(frozen=True, slots=True)
class _Which:
    """Which rows of each kind are held."""

    deliveries: ColumnElement[bool]
    jobs: ColumnElement[bool]
    webhooks: ColumnElement[bool]
    timers: ColumnElement[bool]


def alive_at(conn: Connection) -> int:
    """Give the last sign of life of a hub that carried the outbox; 0 where there was none."""
    return int(get_meta(conn, ALIVE, "0") or 0)


def hold_facts_to(conn: Connection) -> int:
    """Give the newest fact whose outgoing webhooks are born held."""
    return int(get_meta(conn, HOLD_FACTS_TO, "0") or 0)


def hold_older(conn: Connection, made_before: int, now: int) -> Held:
    """Hold what was made before an instant and should have left by now.

    That is what is due, what waits for another try, and what was planned for a time that has
    passed meanwhile; what is planned for a time to come keeps its time. Whatever a living
    process carries at this moment is left alone.
    """
    set_meta(conn, HOLD_FACTS_TO, str(last_event(conn)))
    late = [
        and_(
            table.c.leased_until < now,
            table.c.created_at <= made_before,
            or_(table.c.due_at <= now, table.c.attempts > 0),
        )
        for table in (deliveries, jobs, webhook_deliveries)
    ]
    # What a rule was to do while nobody was here; schedules come round by themselves.
    late.append(and_(rule_timers.c.due_at <= made_before, rule_timers.c.kind != "schedule"))
    return _hold(conn, _Which(*late))


def hold_everything(conn: Connection, now: int) -> Held:
    """Hold all that waits to leave, planned for later or not: it may have left already.

    Only for a database that no process carries. Facts that plugins had not seen yet are
    parked: what followed from them may have happened too.
    """
    set_meta(conn, HOLD_FACTS_TO, str(last_event(conn)))
    _park_unseen_facts(conn, now)
    # What a browser was to be told long ago is told on the screen.
    conn.execute(delete(pushes))
    return _hold(conn, _Which(true(), true(), true(), rule_timers.c.kind != "schedule"))


def _hold(conn: Connection, which: _Which) -> Held:
    waiting = and_(
        which.deliveries, deliveries.c.status.in_(("queued", "claimed")), ~deliveries.c.held
    )
    oldest = conn.execute(select(func.min(deliveries.c.created_at)).where(waiting)).scalar()
    # A claim had not reached the wire: it goes back, and the claimer's fence is void.
    # `sending` stays as it is: only the end of its lease may call it unknown.
    values = {"held": True, "leased_until": 0}
    held = conn.execute(
        update(deliveries)
        .where(waiting)
        .values(status="queued", fence=deliveries.c.fence + 1, **values)
    ).rowcount
    # Whoever reads the dialog is told, at no cost to all the messages that nobody holds.
    theirs = select(deliveries.c.message_id).where(deliveries.c.held, deliveries.c.message_id > 0)
    conn.execute(
        update(messages)
        .where(messages.c.id.in_(theirs), messages.c.status.in_(("queued", "claimed")))
        .values(reason=HELD)
    )
    twin = jobs.alias("twin")
    has_twin = exists().where(
        twin.c.name == jobs.c.name,
        twin.c.key == jobs.c.key,
        twin.c.key != "",
        twin.c.state == "queued",
        twin.c.id != jobs.c.id,
    )
    held_jobs = conn.execute(
        update(jobs)
        .where(
            which.jobs,
            or_(jobs.c.state == "queued", and_(jobs.c.state == "running", ~has_twin)),
            jobs.c.key != PERIODIC,
            ~jobs.c.held,
        )
        .values(state="queued", **values)
    ).rowcount
    held_webhooks = conn.execute(
        update(webhook_deliveries)
        .where(
            which.webhooks,
            webhook_deliveries.c.state.in_(("queued", "sending")),
            ~webhook_deliveries.c.held,
        )
        .values(state="queued", **values)
    ).rowcount
    held_timers = conn.execute(
        update(rule_timers).where(which.timers, ~rule_timers.c.held).values(held=True)
    ).rowcount
    if held or held_jobs or held_webhooks or held_timers:
        set_meta(conn, HOLDING, "yes")
    return Held(
        deliveries=held,
        jobs=held_jobs,
        webhooks=held_webhooks,
        oldest_at=Micros(oldest or 0),
        timers=held_timers,
    )


def _park_unseen_facts(conn: Connection, now: int) -> None:
    """Move every plugin's place in the journal to its end; what it had not seen is parked."""
    last = last_event(conn)
    names = conn.execute(select(cursors.c.name).where(cursors.c.name != WEBHOOK_CURSOR))
    for name in names.scalars().all():
        seen = cursor(conn, name) or 0
        for event_id in range(max(seen, last - PARKED_AT_MOST) + 1, last + 1):
            statement = upsert(conn.dialect.name, parked_events).values(
                plugin=name.removeprefix("plugin:"),
                event_id=event_id,
                error="put aside by a restore",
                at=now,
            )
            conn.execute(statement.on_conflict_do_nothing())
        conn.execute(
            update(cursors).where(cursors.c.name == name).values(event_id=last, updated_at=now)
        )


def is_holding(reader: Reader) -> bool:
    """Say whether a restore or a late start holds something that nobody has decided on yet."""
    return bool(get_meta(reader.conn, HOLDING))


def note_released(conn: Connection) -> None:
    """Note that a person decided: where nothing is left, nothing waits for a word."""
    left = count_held(conn)
    if not (left.deliveries or left.jobs or left.webhooks or left.timers):
        set_meta(conn, HOLDING, "")


def held(reader: Reader) -> Held:
    """Count what is held after a restore or a late start."""
    return count_held(reader.conn)


def count_held(conn: Connection) -> Held:
    """Count what is held, kind by kind."""
    number, oldest = conn.execute(
        select(func.count(), func.min(deliveries.c.created_at)).where(
            deliveries.c.held, deliveries.c.status == "queued"
        )
    ).one()
    job_count = conn.execute(
        select(func.count()).select_from(jobs).where(jobs.c.held, jobs.c.state == "queued")
    ).scalar_one()
    hook_count = conn.execute(
        select(func.count())
        .select_from(webhook_deliveries)
        .where(webhook_deliveries.c.held, webhook_deliveries.c.state == "queued")
    ).scalar_one()
    timer_count = conn.execute(
        select(func.count()).select_from(rule_timers).where(rule_timers.c.held)
    ).scalar_one()
    return Held(
        deliveries=number,
        jobs=job_count,
        webhooks=hook_count,
        oldest_at=Micros(oldest or 0),
        timers=timer_count,
    )


def held_deliveries(reader: Reader, after: int = 0, limit: int = 100) -> list[HeldDelivery]:
    """Give the messages that are held, as they would leave: of a dialog, to many, to a colleague.

    What a message says is told to whoever may see its dialog.
    """
    reader.viewer.need("system.manage")
    seen = reader.viewer.messages_clause(messages)
    statement = (
        select(
            deliveries,
            case((seen, messages.c.text), else_="").label("text"),
            case((seen, messages.c.subject), else_="").label("subject"),
            func.coalesce(contacts.c.name, users.c.name, "").label("name"),
            func.coalesce(accounts.c.title, "").label("account"),
        )
        .outerjoin(messages, messages.c.id == deliveries.c.message_id)
        .outerjoin(dialogs, dialogs.c.id == deliveries.c.dialog_id)
        .outerjoin(
            contacts,
            contacts.c.id
            == case(
                (deliveries.c.contact_id > 0, deliveries.c.contact_id), else_=dialogs.c.contact_id
            ),
        )
        .outerjoin(users, users.c.id == deliveries.c.user_id)
        .outerjoin(accounts, accounts.c.id == deliveries.c.account_id)
        .where(deliveries.c.held, deliveries.c.status == "queued", deliveries.c.id > after)
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    return [
        HeldDelivery(
            id=DeliveryId(row.id),
            kind="colleague" if row.user_id else "many" if row.send_id else "dialog",
            dialog_id=DialogId(row.dialog_id),
            name=row.name,
            account=row.account,
            subject=row.subject,
            text=" ".join(row.text.split())[:BEGINS],
            created_at=Micros(row.created_at),
            due_at=Micros(row.due_at),
        )
        for row in reader.conn.execute(statement)
    ]
