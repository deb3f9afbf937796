"""What is about a person or a client: objects of every kind, and how they moved.

Every question is made once for all who see the same; whose objects are meant are its values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    select,
    tuple_,
    union_all,
)

from crm_store import objects
from crm_store.nouns import NOUNS, Noun
from crm_store.objects import Of
from crm_store.rows import among, listed
from crm_store.sql import unindexed
from crm_store.tables.journal import changes, journal
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.users import users
from crm_store.viewer import Reader, Viewer
from hub.ids import DialogId, Micros
from hub.records.people import TimelineEntry

MOST_OBJECTS = 500
PREVIEW = 400
MOVES = ("status", "stage_id", "pipeline_id")
NEWEST = 1 << 62
NO_CLIENT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose timeline it is: some people, and a client with all of its objects.

    `has` names the kinds of which there is anything at all, "mailing" among them; the others
    are not asked.
    """

    people: tuple[int, ...]
    client_id: int = 0
    has: frozenset[str] = frozenset()

    def given(self, reader: Reader) -> dict[str, Any]:
        """Give the values that say in every question whose things are meant."""
        people = listed(reader.conn.dialect.name, self.people)
        return {"people": people, "client": self.client_id or NO_CLIENT}


def older(at: ColumnElement[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that something stands below the end of the page before it (`end`)."""
    key = (bindparam(name, type_=BigInteger()) for name in ("end_at", "end_id"))
    return tuple_(at, number) < tuple_(*key)


def end(key: tuple[int, int]) -> dict[str, int]:
    """Give the values of `older`."""
    return {"end_at": key[0], "end_id": key[1]}


def looked_through(reader: Reader, subject: Subject) -> Subject:
    """Say in one question of which kinds there is something."""
    statement = _looking(reader.conn.dialect.name)
    row = reader.conn.execute(statement, subject.given(reader)).one()
    return replace(subject, has=frozenset(name for name, some in row._mapping.items() if some))


@cache
def _looking(dialect: str) -> Select[Any]:
    asked = {
        name: select(noun.table.c.id).where(mine).exists()
        for name, noun in NOUNS.items()
        if (mine := about(dialect, Of(noun.table, noun))) is not None
    }
    theirs = among(dialect, deliveries.c.contact_id, "people")
    asked["mailing"] = select(deliveries.c.id).where(theirs, TO_MANY).exists()
    found: list[Any] = [one.label(name) for name, one in asked.items()]
    return select(*found)


@cache
def about(dialect: str, of: Of) -> ColumnElement[bool] | None:
    """Give the condition of a kind's objects that are about a subject; None where none can be."""
    table = of.table
    if of.noun.kind.name in ("contact", "client"):
        return None
    found: list[Select[Any]] = []
    if "contact_id" in table.c:
        found.append(select(table.c.id).where(among(dialect, table.c.contact_id, "people")))
    if "client_id" in table.c:
        found.append(select(table.c.id).where(table.c.client_id == bindparam("client")))
    if "object_kind" in table.c:
        named = select(table.c.id)
        of_person = among(dialect, table.c.object_id, "people")
        of_client = table.c.object_id == bindparam("client")
        found.append(named.where(table.c.object_kind == "contact", of_person))
        found.append(named.where(table.c.object_kind == "client", of_client))
    # Each by its own index: of an OR the planner makes a walk through everything not in the bin.
    return table.c.id.in_(union_all(*found).subquery().select()) if found else None


def asked(reader: Reader, noun: Noun, subject: Subject) -> bool:
    """Say whether a reader has anything of this kind to ask for."""
    return noun.kind.name in subject.has and reader.viewer.may(noun.kind.read)


def own(viewer: Viewer, dialect: str, of: Of) -> ColumnElement[bool]:
    """Give the condition of a kind's objects that are about a subject and can be seen."""
    mine = about(dialect, of)
    assert mine is not None
    alive = unindexed(of.table.c.deleted_at) == 0
    return and_(mine, alive, objects.visible(viewer, of.noun))


def objects_about(
    reader: Reader, noun: Noun, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    """Give the objects of a kind, the newest first."""
    if not asked(reader, noun, subject):
        return []
    statement = _objects(reader.viewer.sight, reader.conn.dialect.name, Of(noun.table, noun))
    given = {**subject.given(reader), **end(key), "most": limit}
    return [_object_entry(noun, row) for row in reader.conn.execute(statement, given)]


@lru_cache(512)
def _objects(viewer: Viewer, dialect: str, of: Of) -> Select[Any]:
    table = of.table
    # A meeting stands where it was held, everything else where it was made.
    at = table.c["at"] if of.noun.kind.name == "meeting" else table.c.created_at
    return (
        select(table, at.label("stands_at"))
        .where(own(viewer, dialect, of), older(at, table.c.id))
        .order_by(at.desc(), table.c.id.desc())
        .limit(bindparam("most"))
    )


def _object_entry(noun: Noun, row: Any) -> TimelineEntry:
    known = row._mapping
    shown = ("form", "minutes", "participants", "next_step", "next_step_at", "amount", "currency")
    data = {name: known[name] for name in (*shown, "status") if known.get(name)}
    return TimelineEntry(
        id=row.id,
        at=Micros(row.stands_at),
        kind=noun.kind.name,
        title=str(known[noun.kind.title]),
        text=str(known.get("result", ""))[:PREVIEW],
        who="",
        dialog_id=DialogId(0),
        ref_kind=noun.kind.name,
        ref_id=row.id,
        data=data,
    )


def moves(
    reader: Reader, noun: Noun, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    """Give how the objects of a kind went through their statuses and stages, the newest first."""
    if not asked(reader, noun, subject):
        return []
    dialect, of = reader.conn.dialect.name, Of(noun.table, noun)
    owned = _owned(reader.viewer.sight, dialect, of)
    ids = list(reader.conn.execute(owned, subject.given(reader)).scalars())
    if not ids:
        return []
    given = {"objects": listed(dialect, ids), **end(key), "most": limit}
    return [
        TimelineEntry(
            id=row.event_id,
            at=Micros(row.at),
            kind="move",
            title=row.title,
            text="",
            who=row.user_name or "",
            dialog_id=DialogId(0),
            ref_kind=noun.kind.name,
            ref_id=row.object_id,
            data={"field": row.field, "before": row.before, "after": row.after},
        )
        for row in reader.conn.execute(_moved(dialect, of), given)
    ]


@lru_cache(512)
def _owned(viewer: Viewer, dialect: str, of: Of) -> Select[Any]:
    mine = about(dialect, of)
    assert mine is not None
    number = of.table.c.id
    seen = select(number).where(mine, objects.visible(viewer, of.noun))
    return seen.order_by(number.desc()).limit(MOST_OBJECTS)


@cache
def _moved(dialect: str, of: Of) -> Select[Any]:
    actor = and_(users.c.id == journal.c.actor_id, journal.c.actor_kind.in_(("user", "token")))
    return (
        select(changes, journal.c.at, users.c.name.label("user_name"), of.noun.title.label("title"))
        .join(journal, journal.c.id == changes.c.event_id)
        .join(of.table, of.table.c.id == changes.c.object_id)
        .outerjoin(users, actor)
        .where(
            changes.c.kind == of.noun.kind.name,
            among(dialect, changes.c.object_id, "objects"),
            changes.c.field.in_(MOVES),
            older(journal.c.at, changes.c.event_id),
        )
        .order_by(journal.c.at.desc(), changes.c.event_id.desc())
        .limit(bindparam("most"))
    )
