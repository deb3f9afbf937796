"""What is about a person or a client: dialogs, objects of every kind, and how they moved.

Which of them there are is found in one question; all others ask for them by their numbers. Every
question is made once for all who see the same; whose objects are meant are its values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    literal_column,
    select,
    tuple_,
    union_all,
)

from crm_store.nouns import NOUNS, Noun
from crm_store.rows import among, gathered, gathered_in, gathered_rows, listed, read_json
from crm_store.sight import visible, visible_people
from crm_store.sql import one_of, owned, unindexed, written
from crm_store.tables.dialogs import dialogs
from crm_store.tables.journal import changes, journal
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import contacts
from crm_store.tables.users import users
from crm_store.viewer import Reader, Viewer, once_a_read
from hub.ids import DialogId, Micros
from hub.records.people import TimelineEntry

MOST_PEOPLE = 200
MOST_MOVED = 500
FIRST = 51
"""How many of the newest objects of each kind a card reads once for all its parts."""
PREVIEW = 400
MOVES = ("status", "stage_id", "pipeline_id")
NEWEST = 1 << 62
NO_CLIENT = -1
KINDS = tuple(
    name
    for name, noun in NOUNS.items()
    if name not in ("contact", "client")
    and any(one in noun.table.c for one in ("contact_id", "client_id", "object_kind"))
)
"""The kinds whose objects can be about a person or a client."""
_TOLD: Mapping[str, ColumnElement[Any]] = {
    **{one: literal_column("''", String) for one in ("result", "form", "participants")},
    **{one: literal_column("''", String) for one in ("next_step", "currency", "status")},
    **{one: literal_column("0", BigInteger) for one in ("minutes", "next_step_at", "amount")},
}
"""What an entry tells of an object, and what stands for it where a kind knows nothing of it."""


class Talk(NamedTuple):
    """A dialog, as far as a timeline needs it."""

    id: int
    last_at: int
    created_at: int
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose timeline it is: some people, and a client with all of its objects.

    `talks` are their dialogs that are seen, first those in which was spoken last. `objects` are
    the numbers of the objects of each kind that are about them and are seen, those in the bin too;
    `mailed` says whether a mailing ever went to any of them.
    """

    people: tuple[int, ...]
    client_id: int = 0
    talks: tuple[Talk, ...] = field(default=(), compare=False)
    objects: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False)
    mailed: bool = field(default=False, compare=False)


def older(at: ColumnElement[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that something stands below the end of the page before it (`end`)."""
    key = (bindparam(name, type_=BigInteger()) for name in ("end_at", "end_id"))
    return tuple_(at, number) < tuple_(*key)


def end(key: tuple[int, int]) -> dict[str, int]:
    """Give the values of `older`."""
    return {"end_at": key[0], "end_id": key[1]}


def of_person(reader: Reader, contact_id: int) -> Subject:
    """Find in one question what there is of each kind about one person."""
    dialect = reader.conn.dialect.name
    statement = _looking(reader.viewer.sight, dialect, of_client=False)
    given = {"people": listed(dialect, (contact_id,)), "client": NO_CLIENT}
    return _subject(reader.conn.execute(statement, given).one(), 0)


def of_people(reader: Reader, client_id: int) -> Subject:
    """Find the same about a client and its people."""
    statement = _looking(reader.viewer.sight, reader.conn.dialect.name, of_client=True)
    return _subject(reader.conn.execute(statement, {"client": client_id}).one(), client_id)


def _subject(row: Any, client_id: int) -> Subject:
    people, talks, *found, mailed = row
    by_end = sorted(gathered_in(talks), key=itemgetter(1), reverse=True)
    return Subject(
        people=tuple(read_json(people or "[]")),
        client_id=client_id,
        talks=tuple(map(Talk._make, by_end)),
        objects={
            name: tuple(sorted(set(read_json(ids))))
            for name, ids in zip(KINDS, found, strict=True)
            if ids and ids != "[]"
        },
        mailed=bool(mailed),
    )


@lru_cache(256)
def _looking(viewer: Viewer, dialect: str, *, of_client: bool) -> Select[Any]:
    """Ask for people (given, or a client's), their dialogs, and the objects of each kind."""
    own = select(contacts.c.id)
    if of_client:
        its_own = contacts.c.client_id == bindparam("client")
        own = own.where(its_own, contacts.c.deleted_at == written(0), visible_people(viewer))
        own = own.order_by(contacts.c.last_at.desc()).limit(written(MOST_PEOPLE))
    else:
        own = own.where(among(dialect, contacts.c.id, "people"))
    every = own.subquery()
    # In one list, so that whatever is theirs is found by its own index.
    listing = select(gathered(dialect, every.c.id).label("ids")).cte("listing")
    people = select(listing.c.ids).scalar_subquery()
    talks = gathered_rows(
        dialect, dialogs.c.id, dialogs.c.last_at, dialogs.c.created_at, dialogs.c.channel
    )
    theirs = among(dialect, dialogs.c.contact_id, people)
    found: list[Any] = [
        people.label("people"),
        select(talks).where(theirs, viewer.dialogs_clause()).scalar_subquery().label("talks"),
    ]
    for name in KINDS:
        # Each by its own index: of an OR the planner makes a walk through everything.
        about = union_all(*_about(viewer, dialect, NOUNS[name], people)).subquery()
        found.append(select(gathered(dialect, about.c.id)).scalar_subquery().label(name))
    person = deliveries.c.contact_id
    sent = owned(dialect, person, among(dialect, person, people))
    found.append(select(deliveries.c.id).where(sent, TO_MANY).exists().label("mailed"))
    return select(*found)


def _about(viewer: Viewer, dialect: str, noun: Noun, people: Any) -> list[Select[Any]]:
    """Give the questions for the objects of a kind that are about a subject."""
    table = noun.table
    seen = select(table.c.id).where(visible(viewer, noun))
    if "object_kind" in table.c:
        of_person = among(dialect, table.c.object_id, people)
        of_client = table.c.object_id == bindparam("client")
        return [
            seen.where(table.c.object_kind == literal_column(f"'{kind}'"), mine)
            for kind, mine in (("contact", of_person), ("client", of_client))
        ]
    found = []
    if "contact_id" in table.c:
        column = table.c.contact_id
        found.append(seen.where(owned(dialect, column, among(dialect, column, people))))
    if "client_id" in table.c:
        column = table.c.client_id
        found.append(seen.where(owned(dialect, column, column == bindparam("client"))))
    return found


def asked(reader: Reader, name: str, subject: Subject) -> bool:
    """Say whether a reader has anything of this kind to ask for."""
    return bool(subject.objects.get(name)) and reader.viewer.may(NOUNS[name].kind.read)


def objects_about(
    reader: Reader, kinds: Collection[str], subject: Subject, key: tuple[int, int], limit: int
) -> list[list[TimelineEntry]]:
    """Give the objects of each of these kinds, the newest first."""
    if key == (NEWEST, NEWEST) and limit <= FIRST:
        found: Mapping[str, list[TimelineEntry]] = dict(_newest(reader, subject))
    else:
        found = _read(reader, tuple(one for one in KINDS if one in kinds), subject, key, limit)
    return [one[:limit] for name, one in found.items() if name in kinds]


@once_a_read
def _newest(reader: Reader, subject: Subject) -> tuple[tuple[str, list[TimelineEntry]], ...]:
    return tuple(_read(reader, KINDS, subject, (NEWEST, NEWEST), FIRST).items())


def _read(
    reader: Reader, kinds: tuple[str, ...], subject: Subject, key: tuple[int, int], limit: int
) -> Mapping[str, list[TimelineEntry]]:
    found: dict[str, list[TimelineEntry]] = {
        one: [] for one in kinds if asked(reader, one, subject)
    }
    if not found:
        return found
    dialect = reader.conn.dialect.name
    given: dict[str, Any] = {**end(key), "most": limit}
    for name in kinds:
        given[name] = listed(dialect, subject.objects[name] if name in found else ())
    for row in reader.conn.execute(_objects(dialect, kinds), given).all():
        found[row.kind].append(_object_entry(row))
    return found


@cache
def _objects(dialect: str, kinds: tuple[str, ...]) -> Any:
    made = [_of_kind(dialect, NOUNS[name]) for name in kinds]
    return made[0] if len(made) == 1 else union_all(*(select(one.subquery()) for one in made))


def _of_kind(dialect: str, noun: Noun) -> Select[Any]:
    table, name = noun.table, noun.kind.name
    # A meeting stands where it was held, everything else where it was made.
    at = table.c["at"] if name == "meeting" else table.c.created_at
    told = [table.c.get(one, nothing).label(one) for one, nothing in _TOLD.items()]
    kind = literal_column(f"'{name}'", String).label("kind")
    title = noun.title.label("title")
    return (
        select(kind, table.c.id, at.label("stands_at"), title, *told)
        .where(
            among(dialect, table.c.id, name),
            unindexed(table.c.deleted_at) == 0,
            older(at, table.c.id),
        )
        .order_by(at.desc(), table.c.id.desc())
        .limit(bindparam("most"))
    )


def _object_entry(row: Any) -> TimelineEntry:
    known = row._mapping
    return TimelineEntry(
        id=row.id,
        at=Micros(row.stands_at),
        kind=row.kind,
        title=row.title,
        text=row.result[:PREVIEW],
        who="",
        dialog_id=DialogId(0),
        ref_kind=row.kind,
        ref_id=row.id,
        data={name: known[name] for name in _TOLD if name != "result" and known[name]},
    )


def moves(
    reader: Reader, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    """Give how the objects went through their statuses and stages, the newest first."""
    kinds = [name for name in KINDS if asked(reader, name, subject)]
    ids = [one for name in kinds for one in subject.objects[name][-MOST_MOVED:]]
    if not ids:
        return []
    dialect = reader.conn.dialect.name
    given = {"kinds": listed(dialect, kinds), "objects": listed(dialect, ids), "most": limit}
    return [
        TimelineEntry(
            id=row.event_id,
            at=Micros(row.at),
            kind="move",
            title=row.title,
            text="",
            who=row.user_name or "",
            dialog_id=DialogId(0),
            ref_kind=row.kind,
            ref_id=row.object_id,
            data={"field": row.field, "before": row.before, "after": row.after},
        )
        for row in reader.conn.execute(_moved(dialect), given | end(key)).all()
    ]


@cache
def _moved(dialect: str) -> Select[Any]:
    actor = and_(users.c.id == journal.c.actor_id, one_of(journal.c.actor_kind, ("user", "token")))
    titles = {name: (NOUNS[name].table, NOUNS[name].title) for name in KINDS}
    title = case(*((changes.c.kind == name, one) for name, (_, one) in titles.items()))
    found = (
        select(changes, journal.c.at, users.c.name.label("user_name"), title.label("title"))
        .join(journal, journal.c.id == changes.c.event_id)
        .outerjoin(users, actor)
    )
    for name, (table, _) in titles.items():
        found = found.outerjoin(
            table, and_(changes.c.kind == name, table.c.id == changes.c.object_id)
        )
    return (
        found.where(
            among(dialect, changes.c.kind, "kinds"),
            among(dialect, changes.c.object_id, "objects"),
            one_of(changes.c.field, MOVES),
            older(journal.c.at, changes.c.event_id),
            title.is_not(None),
        )
        .order_by(journal.c.at.desc(), changes.c.event_id.desc())
        .limit(bindparam("most"))
    )
