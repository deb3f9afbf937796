"""What changed on one object, by whom and why: the audit of every kind, out of the journal."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from crm_store.objects import Noun
from crm_store.sql import LARGEST
from crm_store.tables.journal import changes, journal
from crm_store.unit_of_work import cause_from
from crm_store.viewer import Reader
from hub.ids import EventId, Micros
from hub.objects import Actor, ActorKind
from hub.records.objects import ChangeLine

MOST = 200
_MINE = (changes.c.kind == bindparam("kind")) & (changes.c.object_id == bindparam("object"))
_WANTED = (
    select(changes.c.event_id)
    .where(_MINE, changes.c.event_id < bindparam("before"))
    .distinct()
    .order_by(changes.c.event_id.desc())
    .limit(bindparam("most"))
)
_CHANGED = (
    select(changes, journal.c.at, journal.c.actor_kind, journal.c.actor_id, journal.c.actor_name)
    .add_columns(journal.c.cause)
    .join(journal, journal.c.id == changes.c.event_id)
    .where(_MINE, changes.c.event_id.in_(_WANTED.subquery().select()))
    .order_by(changes.c.event_id.desc(), changes.c.n)
)


def changes_of(
    reader: Reader, noun: Noun, object_id: int, before: int = 0, limit: int = 50
) -> list[ChangeLine]:
    """Give the changes of an object, the newest first; `before` is the last event of a page.

    All changes of one event are given together, so a page may be a little longer than `limit`.
    """
    reader.viewer.need(noun.kind.read)
    given = {"kind": noun.kind.name, "object": object_id, "most": max(1, min(limit, MOST))}
    rows = reader.conn.execute(_CHANGED, {**given, "before": before or LARGEST})
    return [
        ChangeLine(
            event_id=EventId(row.event_id),
            at=Micros(row.at),
            actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, name=row.actor_name),
            cause=cause_from(row.cause),
            field=row.field,
            before=row.before,
            after=row.after,
        )
        for row in rows
    ]
