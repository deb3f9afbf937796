"""Reading the journal: facts after a cursor, cursors, parked facts; the epoch of this database."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from crm_store.segment_fields import beyond
from crm_store.sight import hidden_among
from crm_store.sql import upsert
from crm_store.tables.dialogs import dialogs
from crm_store.tables.journal import changes, cursors, journal, meta, parked_events
from crm_store.unit_of_work import UnitOfWork, cause_from
from crm_store.viewer import Reader
from hub.commands import MoveCursor, ParkEvent
from hub.events import (
    Event,
    EventParked,
    EventRegistry,
    ImportBatchWritten,
    ObjectChanged,
    ObjectCreated,
    ObjectLinked,
    ObjectRemoved,
    PluginFailed,
    SegmentEntered,
    SegmentLeft,
)
from hub.ids import EventId, Micros
from hub.objects import Actor, ActorKind

log = logging.getLogger("hub.journal")

WITH_CHANGES = (ObjectChanged.type, ImportBatchWritten.type)


def events_after(
    conn: Connection,
    registry: EventRegistry,
    after: int,
    limit: int = 500,
    types: Sequence[str] = (),
    unreadable: list[tuple[int, str]] | None = None,
) -> tuple[list[Event], int]:
    """Give facts after a cursor in commit order, and the cursor behind the last one read.

    A fact of a type that nobody knows (its plugin is gone) is passed over. So is one that cannot
    be read; its number and what is wrong with it are added to `unreadable`.
    """
    statement, values = _behind(tuple(types)), {"after": after, "limit": limit}
    found, last = [], after
    try:
        rows: Sequence[Row[Any]] = conn.execute(statement, values).all()
        moved = _changes(conn, [row.id for row in rows if row.type in WITH_CHANGES])
    except ValueError as error:
        # One value that is no JSON spoils the whole page: read on one by one.
        if limit > 1:
            return _one_by_one(conn, registry, after, limit, types, unreadable)
        only_number = statement.with_only_columns(journal.c.id)
        number = int(conn.execute(only_number, values).scalar_one())
        _note_unreadable(number, error, unreadable)
        return [], number
    for row in rows:
        last = row.id
        event = _event(row, registry, moved.get(row.id), unreadable)
        if event is not None:
            found.append(event)
    return found, last


@cache
def _behind(types: tuple[str, ...]) -> Select[Any]:
    statement = select(journal).where(journal.c.id > bindparam("after")).order_by(journal.c.id)
    statement = statement.limit(bindparam("limit"))
    return statement.where(journal.c.type.in_(types)) if types else statement


def _one_by_one(
    conn: Connection,
    registry: EventRegistry,
    after: int,
    limit: int,
    types: Sequence[str],
    unreadable: list[tuple[int, str]] | None,
) -> tuple[list[Event], int]:
    found: list[Event] = []
    for _ in range(limit):
        more, last = events_after(conn, registry, after, 1, types, unreadable)
        if last == after:
            break
        found += more
        after = last
    return found, after


def _note_unreadable(
    number: int, error: Exception, unreadable: list[tuple[int, str]] | None
) -> None:
    # The kind of the error only: its words may hold those of a person.
    log.error("fact_unreadable id=%d error=%s", number, type(error).__name__)
    if unreadable is not None:
        unreadable.append((number, f"this fact cannot be read ({type(error).__name__})"))


def _changes(conn: Connection, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    if ids:
        for row in conn.execute(
            select(changes).where(changes.c.event_id.in_(ids)).order_by(changes.c.n)
        ):
            found.setdefault(row.event_id, []).append(
                {
                    "kind": row.kind,
                    "id": row.object_id,
                    "field": row.field,
                    "before": row.before,
                    "after": row.after,
                }
            )
    return found


def _event(
    row: Row[Any],
    registry: EventRegistry,
    moved: list[dict[str, Any]] | None,
    unreadable: list[tuple[int, str]] | None = None,
) -> Event | None:
    kind = registry.get(row.type)
    if kind is None:
        return None
    try:
        data = dict(row.data)
        if moved is not None:
            data["changes"] = moved
        return kind.from_data(data, row.schema).stamped(
            id=EventId(row.id),
            at=Micros(row.at),
            actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, name=row.actor_name),
            cause=cause_from(row.cause),
        )
    except Exception as error:  # noqa: BLE001 - older forms are read by code of plugins too
        _note_unreadable(row.id, error, unreadable)
        return None


def one_event(conn: Connection, registry: EventRegistry, event_id: int) -> Event | None:
    """Give one fact by its number."""
    found, _ = events_after(conn, registry, event_id - 1, 1)
    return found[0] if found and found[0].id == event_id else None


def events_by_id(conn: Connection, registry: EventRegistry, ids: Sequence[int]) -> dict[int, Event]:
    """Give facts by their numbers; one of a type that nobody knows is left out."""
    if not ids:
        return {}
    rows = conn.execute(select(journal).where(journal.c.id.in_(ids))).all()
    moved = _changes(conn, [row.id for row in rows if row.type == "object.changed"])
    found = {row.id: _event(row, registry, moved.get(row.id)) for row in rows}
    return {number: event for number, event in found.items() if event is not None}


def last_event(conn: Connection) -> int:
    """Give the number of the newest fact."""
    return int(conn.execute(select(func.coalesce(func.max(journal.c.id), 0))).scalar_one())


def plugin_failures(reader: Reader) -> dict[str, int]:
    """Count the failures of each plugin that stand in the journal, by its name."""
    found: dict[str, int] = {}
    statement = select(journal.c.data).where(journal.c.type == PluginFailed.type)
    for row in reader.conn.execute(statement):
        name = str(row.data.get("plugin", ""))
        found[name] = found.get(name, 0) + 1
    return found


def cursor(conn: Connection, name: str) -> int | None:
    """Give how far a reader has come, None for a reader that never was here."""
    found = conn.execute(select(cursors.c.event_id).where(cursors.c.name == name)).scalar()
    return None if found is None else int(found)


def all_cursors(reader: Reader) -> dict[str, int]:
    """Give every reader's cursor."""
    return {row.name: row.event_id for row in reader.conn.execute(select(cursors))}


def move_cursor(uow: UnitOfWork, command: MoveCursor) -> None:
    """Remember how far a reader has come."""
    statement = upsert(uow.dialect, cursors).values(
        name=command.name, event_id=command.event_id, updated_at=uow.now
    )
    uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"event_id": command.event_id, "updated_at": uow.now},
        )
    )


def park_event(uow: UnitOfWork, command: ParkEvent) -> None:
    """Put a fact aside on which a plugin failed too often."""
    statement = upsert(uow.dialect, parked_events).values(
        plugin=command.plugin,
        event_id=command.event_id,
        error=command.error[:2000],
        at=uow.now,
    )
    uow.conn.execute(statement.on_conflict_do_nothing())
    uow.record(EventParked(plugin=command.plugin, event_id=command.event_id))


def history_of(reader: Reader, registry: EventRegistry, kind: str, object_id: int) -> list[Event]:
    """Give what changed on one object, oldest first."""
    ids = (
        reader.conn.execute(
            select(changes.c.event_id)
            .where(changes.c.kind == kind, changes.c.object_id == object_id)
            .distinct()
            .order_by(changes.c.event_id.desc())
            .limit(200)
        )
        .scalars()
        .all()
    )
    found = [one_event(reader.conn, registry, one) for one in reversed(ids)]
    return [one for one in found if one is not None]


def latest_events(
    reader: Reader,
    registry: EventRegistry,
    before: int = 0,
    limit: int = 100,
    types: Sequence[str] = (),
    dialog_id: int = 0,
) -> list[Event]:
    """Give facts, the newest first, for the audit page."""
    reader.viewer.need("events.view")
    statement = select(journal).order_by(journal.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(journal.c.id < before)
    if types:
        statement = statement.where(journal.c.type.in_(types))
    if dialog_id:
        statement = statement.where(journal.c.dialog_id == dialog_id)
    rows = reader.conn.execute(statement).all()
    return events_from(reader.conn, registry, rows)


def events_from(conn: Connection, registry: EventRegistry, rows: Sequence[Row[Any]]) -> list[Event]:
    """Make the facts of journal rows, in their order."""
    moved = _changes(conn, [row.id for row in rows if row.type in WITH_CHANGES])
    found = [_event(row, registry, moved.get(row.id)) for row in rows]
    return [one for one in found if one is not None]


def visible(reader: Reader, events: Sequence[Event]) -> list[Event]:
    """Leave out the facts about what the viewer may not see."""
    viewer = reader.viewer
    comings = [one for one in events if isinstance(one, SegmentEntered | SegmentLeft)]
    unsure = beyond(reader, {one.segment_id for one in comings})
    if unsure:
        untold = {id(one) for one in comings if one.segment_id in unsure}
        events = [one for one in events if id(one) not in untold]
    if not viewer.is_limited:
        return list(events)
    named = {one.dialog for one in events if one.dialog}
    hidden = set(
        reader.conn.execute(
            select(dialogs.c.id).where(dialogs.c.id.in_(named), ~viewer.dialogs_clause())
        ).scalars()
    )
    gone = hidden_among(reader, {_about(one) for one in events})
    return [
        one
        for one in events
        if one.dialog not in hidden
        and _about(one) not in gone
        and viewer.sees_account(getattr(one, "account_id", 0))
    ]


def _about(event: Event) -> tuple[str, int]:
    """Give the object that a fact is about; a person only where no dialog was asked already."""
    if isinstance(event, ObjectChanged | ObjectRemoved | ObjectCreated | ObjectLinked):
        return event.object_kind, event.object_id
    contact_id = getattr(event, "contact_id", 0)
    if contact_id and not event.dialog:
        return "contact", int(contact_id)
    return event.subject.kind, event.subject.id


# -- meta ----------------------------------------------------------------------------------


def get_meta(conn: Connection, name: str, default: str = "") -> str:
    """Give a fact about this very database."""
    found = conn.execute(select(meta.c.value).where(meta.c.key == name)).scalar()
    return default if found is None else str(found)


def set_meta(conn: Connection, name: str, value: str) -> None:
    """Write a fact about this very database."""
    done = conn.execute(update(meta).where(meta.c.key == name).values(value=value))
    if not done.rowcount:
        conn.execute(insert(meta).values(key=name, value=value))


def epoch(conn: Connection) -> str:
    """Give the epoch: part of every public event id, new after each restore."""
    return get_meta(conn, "epoch")


def new_epoch(conn: Connection) -> str:
    """Begin a new epoch: cursors of the one before are answered by `resync`."""
    value = secrets.token_hex(4)
    set_meta(conn, "epoch", value)
    return value
