"""Notices: what a colleague should know, as kind and object; words are made when it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, literal_column, select, update

from crm_store import pushes
from crm_store.notice_letters import letter_due
from crm_store.sql import upsert
from crm_store.tables.pushes import push_devices
from crm_store.tables.requests import notices
from crm_store.tables.users import users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import Notify, ReadNotices
from hub.events import NoticeRaised
from hub.ids import DialogId, EventId, Micros, NoticeId, UserId, bounded_key
from hub.objects import ActorKind, Ref
from hub.records.requests import Notice

KINDS = (
    "request.assigned",
    "request.deadline_near",
    "request.deadline_missed",
    "task.assigned",
    "task.reminder",
    "task.review",
    "task.returned",
    "dialog.assigned",
    "dialog.mentioned",
    "export.done",
    "export.failed",
    "rule.paused",
    "rule.told",
    "rule.digest",
)
"""What the hub itself tells; rules and plugins may tell more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How one kind is told: on the screen, which is the least, by a letter, on one's devices."""

    shown: bool
    mailed: bool
    pushed: bool


def choices(preferences: Mapping[str, object]) -> dict[str, Choice]:
    """Give for each kind how it is told."""
    shown, mailed = preferences.get("notices", {}), preferences.get("letters", {})
    shown = shown if isinstance(shown, Mapping) else {}
    mailed = mailed if isinstance(mailed, Mapping) else {}
    return {
        kind: Choice(
            shown.get(kind) is not False,
            mailed.get(kind) is True,
            shown.get(kind) is not False and pushes.is_pushed(preferences, kind),
        )
        for kind in KINDS
    }


def chosen(wanted: Mapping[str, Choice], before: Mapping[str, Choice]) -> dict[str, object]:
    """Give the preferences that say so.

    What comes by a letter stands on the screen too, and so does what is newly to be pushed; what
    is taken off the screen is pushed no more.
    """
    shown = {
        kind: one.shown or one.mailed or (one.pushed and not before[kind].pushed)
        for kind, one in wanted.items()
    }
    return {
        "notices": shown,
        "letters": {kind: one.mailed for kind, one in wanted.items()},
        "pushes": {kind: one.pushed and shown[kind] for kind, one in wanted.items()},
    }


def notify(uow: UnitOfWork, command: Notify) -> int:
    """Tell colleagues something; gives how many were told."""
    people = set(command.user_ids)
    if command.roles:
        of_roles = select(users.c.id).where(users.c.role.in_(command.roles), users.c.active)
        people |= set(uow.conn.execute(of_roles).scalars())
    return tell(
        uow,
        people,
        command.kind,
        Ref(kind=command.object_kind, id=command.object_id),
        dialog_id=command.dialog_id,
        event_id=command.event_id,
        key=command.key,
    )


def tell(
    uow: UnitOfWork,
    user_ids: Iterable[int],
    kind: str,
    ref: Ref,
    *,
    dialog_id: int = 0,
    event_id: int = 0,
    key: str = "",
) -> int:
    """Write a notice for each of some colleagues who want such notices and do not act themselves."""
    wanted = {one for one in user_ids if one}
    if uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
        wanted.discard(uow.actor.id)
    if not wanted:
        return 0
    told = 0
    rows = uow.conn.execute(
        select(users.c.id, users.c.preferences, push_devices.c.id.label("device_id"))
        .outerjoin(push_devices, and_(push_devices.c.user_id == users.c.id, push_devices.c.active))
        .where(users.c.id.in_(wanted), users.c.active)
    ).all()
    devices: dict[int, list[int]] = {}
    for row in rows:
        devices.setdefault(row.id, []).extend([row.device_id] if row.device_id else ())
    for row in sorted({one.id: one for one in rows}.values(), key=lambda one: int(one.id)):
        chosen = row.preferences.get("notices", {})
        if isinstance(chosen, dict) and chosen.get(kind) is False:
            continue
        notice_id = NoticeId(uow.new_id())
        statement = upsert(uow.dialect, notices).values(
            id=notice_id,
            user_id=row.id,
            kind=kind[:400],
            object_kind=ref.kind,
            object_id=ref.id,
            dialog_id=dialog_id,
            event_id=event_id,
            key=bounded_key(key or f"notice:{notice_id}", 200),
            created_at=uow.now,
            letter_at=letter_due(row.preferences, kind, uow.now),
        )
        if uow.conn.execute(statement.on_conflict_do_nothing()).rowcount:
            if devices[row.id] and pushes.is_pushed(row.preferences, kind):
                pushes.queue(uow.conn, notice_id, devices[row.id], uow.now)
            uow.record(NoticeRaised(notice_id=notice_id, user_id=UserId(row.id), kind=kind))
            told += 1
    return told


def read_notices(uow: UnitOfWork, command: ReadNotices) -> int:
    """Mark one's own notices; gives how many changed."""
    if command.object_kind:
        return notices_seen(uow, Ref(kind=command.object_kind, id=command.object_id))
    mine = notices.c.user_id == uow.viewer.user_id
    state = notices.c.read_at > 0 if command.unread else notices.c.read_at == 0
    statement = update(notices).where(mine, state)
    if command.notice_ids:
        statement = statement.where(notices.c.id.in_(command.notice_ids))
    elif command.unread:
        return 0
    values = {"read_at": 0} if command.unread else {"read_at": uow.now, "letter_at": 0}
    return int(uow.conn.execute(statement.values(values)).rowcount)


def notices_seen(uow: UnitOfWork, ref: Ref) -> int:
    """Whoever looks at an object knows by that what notices told him of it; gives how many."""
    statement = update(notices).where(*_unread_of(uow.viewer.user_id, ref))
    return int(uow.conn.execute(statement.values(read_at=uow.now, letter_at=0)).rowcount)


def has_unread(reader: Reader, ref: Ref) -> bool:
    """Say whether notices tell the reader something of an object that he has not read."""
    statement = select(notices.c.id).where(*_unread_of(reader.viewer.private_id, ref)).limit(1)
    return reader.conn.execute(statement).first() is not None


def _unread_of(user_id: UserId, ref: Ref) -> tuple[ColumnElement[bool], ...]:
    return (
        notices.c.user_id == user_id,
        notices.c.read_at == literal_column("0"),
        notices.c.object_kind == ref.kind,
        notices.c.object_id == ref.id,
    )


def page(reader: Reader, before: int = 0, limit: int = 50, *, unread: bool = False) -> list[Notice]:
    """Give the reader's own notices, the newest first."""
    statement = select(notices).where(notices.c.user_id == reader.viewer.user_id)
    if before:
        statement = statement.where(notices.c.id < before)
    if unread:
        statement = statement.where(notices.c.read_at == 0)
    rows = reader.conn.execute(statement.order_by(notices.c.id.desc()).limit(limit))
    return [
        Notice(
            id=NoticeId(row.id),
            user_id=UserId(row.user_id),
            kind=row.kind,
            object_kind=row.object_kind,
            object_id=row.object_id,
            dialog_id=DialogId(row.dialog_id),
            event_id=EventId(row.event_id),
            created_at=Micros(row.created_at),
            read_at=Micros(row.read_at),
        )
        for row in rows
    ]


def unread_count(reader: Reader) -> int:
    """Count what the reader has not read."""
    return int(
        reader.conn.execute(
            select(func.count()).where(
                notices.c.user_id == reader.viewer.user_id, notices.c.read_at == 0
            )
        ).scalar_one()
    )


__all__ = [
    "KINDS",
    "Choice",
    "choices",
    "chosen",
    "has_unread",
    "notices_seen",
    "notify",
    "page",
    "read_notices",
    "tell",
    "unread_count",
]
