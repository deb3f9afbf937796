"""Everything that happened with a person or a client, in one stream, the newest first.

Nothing is stored twice: messages, acts of dialogs, objects, their changes and meetings are read
where they stand, each source by key and no further than a page, and merged. A page costs the same
however old the person is; what a role may not see is not in the stream.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    select,
    tuple_,
    union_all,
)

from crm_store import objects
from crm_store.nouns import NOUNS, Noun
from crm_store.sql import page_key, unindexed
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import changes, journal
from crm_store.tables.many import many_contents, many_sends, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import contacts
from crm_store.tables.users import accounts, users
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.ids import ClientId, ContactId, DialogId, Micros
from hub.records.people import TimelineEntry

KINDS = (
    "message",
    "note",
    "call",
    "meeting",
    "act",
    "move",
    "lead",
    "request",
    "interest",
    "task",
    "mailing",
)
CHUNK = 20
MOST_PEOPLE = 200
MOST_OBJECTS = 500
PREVIEW = 400
MOVES = ("status", "stage_id", "pipeline_id")
NEWEST = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose timeline it is: some people, and a client with all of its objects.

    `has` names the kinds of which there is anything at all; the others are not asked.
    """

    people: tuple[int, ...]
    client_id: int = 0
    has: frozenset[str] = frozenset(KINDS)


def of_contact(reader: Reader, contact_id: ContactId) -> Subject:
    """Give one person as a subject."""
    objects.one(reader, NOUNS["contact"], contact_id)
    return _looked_through(reader, Subject(people=(int(contact_id),)))


def of_client(reader: Reader, client_id: ClientId) -> Subject:
    """Give a client with its people as a subject."""
    objects.one(reader, NOUNS["client"], client_id)
    found = reader.conn.execute(
        select(contacts.c.id)
        .where(
            contacts.c.client_id == client_id,
            contacts.c.deleted_at == 0,
            objects.visible_people(reader.viewer),
        )
        .order_by(contacts.c.last_at.desc())
        .limit(MOST_PEOPLE)
    )
    subject = Subject(people=tuple(found.scalars()), client_id=int(client_id))
    return _looked_through(reader, subject)


def _looked_through(reader: Reader, subject: Subject) -> Subject:
    """Say in one question of which kinds there is something."""
    asked = {
        name: select(noun.table.c.id).where(mine).exists()
        for name, noun in NOUNS.items()
        if (mine := about(noun, subject)) is not None
    }
    if subject.people:
        sent = select(deliveries.c.id).where(deliveries.c.contact_id.in_(subject.people), TO_MANY)
        asked["mailing"] = sent.exists()
    if not asked:
        return replace(subject, has=frozenset())
    row = reader.conn.execute(select(*(one.label(name) for name, one in asked.items()))).one()
    return replace(subject, has=frozenset(name for name, some in row._mapping.items() if some))


def timeline(
    reader: Reader,
    subject: Subject,
    kinds: Collection[str] = (),
    before: str = "",
    limit: int = 50,
) -> tuple[list[TimelineEntry], str]:
    """Give a page of a timeline, the newest first, and the key of the next one."""
    for kind in kinds:
        if kind not in KINDS:
            raise Invalid(f"an entry is one of {', '.join(KINDS)}", field="kind")
    key = page_key(before) if before else (NEWEST, NEWEST)
    limit = max(1, min(limit, 200))
    wanted = frozenset(kinds or KINDS)
    sources = [*_talk(reader, subject, wanted, key, limit + 1)]
    if "mailing" in wanted:
        sources.append(mailings_of(reader, subject, key, limit + 1))
    for noun in NOUNS.values():
        if noun.kind.name in wanted:
            sources.append(objects_about(reader, noun, subject, key, limit + 1))
        if "move" in wanted:
            sources.append(_moves(reader, noun, subject, key, limit + 1))
    merged = heapq.merge(*sources, key=lambda one: (one.at, one.id), reverse=True)
    found = [one for one, _ in zip(merged, range(limit + 1), strict=False)]
    more, found = len(found) > limit, found[:limit]
    return found, f"{found[-1].at}-{found[-1].id}" if more else ""


# -- what was said -------------------------------------------------------------------------

_DIRECTIONS = {"message": ("in", "out"), "note": ("note",), "call": ("call",)}


def _talk(
    reader: Reader, subject: Subject, wanted: frozenset[str], key: tuple[int, int], limit: int
) -> Iterator[list[TimelineEntry]]:
    """Give messages and acts of the dialogs, from the last one on, until a page is full.

    A dialog's last instant is known, so dialogs that can add nothing to the page are not read.
    """
    directions = [one for kind, some in _DIRECTIONS.items() if kind in wanted for one in some]
    if not subject.people or not (directions or "act" in wanted):
        return
    talks = reader.conn.execute(
        select(dialogs.c.id, dialogs.c.last_at, dialogs.c.channel)
        .where(dialogs.c.contact_id.in_(subject.people), reader.viewer.dialogs_clause())
        .order_by(dialogs.c.last_at.desc())
    ).all()
    channels = {row.id: row.channel for row in talks}
    said: list[TimelineEntry] = []
    acts: list[TimelineEntry] = []
    for start in range(0, len(talks), CHUNK):
        chunk = talks[start : start + CHUNK]
        full = sorted((one.at for one in (said if directions else acts)), reverse=True)[:limit]
        if len(full) == limit and full[-1] > chunk[0].last_at:
            break
        ids = [row.id for row in chunk]
        if directions:
            said += _messages(reader, ids, directions, channels, key, limit)
        if "act" in wanted:
            acts += _acts(reader, ids, key, limit)
    for found in (said, acts):
        yield sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]


def _messages(
    reader: Reader,
    ids: Sequence[int],
    directions: Sequence[str],
    channels: dict[int, str],
    key: tuple[int, int],
    limit: int,
) -> list[TimelineEntry]:
    parts = []
    for dialog_id in ids:
        newest = (
            select(messages.c.id)
            .where(
                messages.c.dialog_id == dialog_id,
                messages.c.deleted_at == 0,
                messages.c.direction.in_(directions),
                tuple_(messages.c.at, messages.c.id) < tuple_(*key),
            )
            .order_by(messages.c.at.desc(), messages.c.id.desc())
            .limit(limit)
            .subquery()
        )
        parts.append(select(newest.c.id))
    rows = reader.conn.execute(
        select(
            messages.c.id,
            messages.c.at,
            messages.c.dialog_id,
            messages.c.direction,
            messages.c.subject,
            messages.c.text,
            messages.c.author_name,
            messages.c.status,
            messages.c.cause,
            users.c.name.label("user_name"),
        )
        .outerjoin(users, and_(users.c.id == messages.c.author_id, messages.c.direction != "in"))
        .where(messages.c.id.in_(union_all(*parts).subquery().select()))
    )
    kinds = {one: kind for kind, some in _DIRECTIONS.items() for one in some}
    return [
        TimelineEntry(
            id=row.id,
            at=Micros(row.at),
            kind=kinds[row.direction],
            title=row.subject,
            text=row.text[:PREVIEW],
            who=row.user_name or row.author_name,
            dialog_id=DialogId(row.dialog_id),
            ref_kind="message",
            ref_id=row.id,
            data={
                "direction": row.direction,
                "channel": channels.get(row.dialog_id, ""),
                "status": row.status,
                "cause": (row.cause or {}).get("kind", ""),
            },
        )
        for row in rows
    ]


def _acts(
    reader: Reader, ids: Sequence[int], key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    rows = reader.conn.execute(
        select(journal, users.c.name.label("user_name"))
        .outerjoin(
            users,
            and_(users.c.id == journal.c.actor_id, journal.c.actor_kind.in_(("user", "token"))),
        )
        .where(
            journal.c.dialog_id.in_(ids),
            journal.c.shown,
            tuple_(journal.c.at, journal.c.id) < tuple_(*key),
        )
        .order_by(journal.c.at.desc(), journal.c.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            id=row.id,
            at=Micros(row.at),
            kind="act",
            title=row.type,
            text="",
            who=row.user_name or "",
            dialog_id=DialogId(row.dialog_id),
            ref_kind="dialog",
            ref_id=row.dialog_id,
            data={**row.data, "cause": (row.cause or {}).get("kind", "")},
        )
        for row in rows
    ]


# -- what was sent to many -------------------------------------------------------------------


def mailings_of(
    reader: Reader, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    """Give the mailings that people got, or were kept back from: the rows of the outbox."""
    if not subject.people or "mailing" not in subject.has:
        return []
    rows = reader.conn.execute(
        select(
            deliveries.c.id,
            deliveries.c.created_at,
            deliveries.c.sent_at,
            deliveries.c.status,
            deliveries.c.reason,
            many_sends.c.title,
            many_sends.c.mailing_id,
            many_contents.c.subject,
            accounts.c.channel,
            _touched(0).label("opened"),
            _touched(1).label("clicked"),
        )
        .join(many_sends, many_sends.c.id == deliveries.c.send_id)
        .join(many_contents, many_contents.c.id == deliveries.c.content_id)
        .outerjoin(accounts, accounts.c.id == deliveries.c.account_id)
        .where(
            deliveries.c.contact_id.in_(subject.people),
            TO_MANY,
            tuple_(_SENT, deliveries.c.id) < tuple_(*key),
        )
        .order_by(_SENT.desc(), deliveries.c.id.desc())
        .limit(limit)
    )
    return [_mailing(row) for row in rows]


_SENT = case((deliveries.c.sent_at > 0, deliveries.c.sent_at), else_=deliveries.c.created_at)


def _touched(least: int) -> ScalarSelect[int]:
    """When a person (no machine) first opened, or followed a link of, what he got."""
    which = many_touches.c.n == 0 if not least else many_touches.c.n > 0
    touched = select(func.min(many_touches.c.first_at)).where(
        many_touches.c.delivery_id == deliveries.c.id, which, many_touches.c.machine.is_(False)
    )
    return touched.scalar_subquery()


def _mailing(row: Any) -> TimelineEntry:
    data = {
        "status": row.status,
        "reason": row.reason,
        "channel": row.channel or "",
        "opened_at": row.opened or 0,
        "clicked_at": row.clicked or 0,
    }
    return TimelineEntry(
        id=row.id,
        at=Micros(row.sent_at or row.created_at),
        kind="mailing",
        title=row.title,
        text=row.subject[:PREVIEW],
        who="",
        dialog_id=DialogId(0),
        ref_kind="mailing",
        ref_id=row.mailing_id,
        data={name: one for name, one in data.items() if one},
    )


# -- what was worked on ---------------------------------------------------------------------


def about(noun: Noun, subject: Subject) -> ColumnElement[bool] | None:
    """Give the condition of a kind's objects that are about the subject; None for none."""
    table = noun.table
    if noun.kind.name in ("contact", "client") or noun.kind.name not in subject.has:
        return None
    found: list[Select[Any]] = []
    if "contact_id" in table.c and subject.people:
        found.append(select(table.c.id).where(table.c.contact_id.in_(subject.people)))
    if "client_id" in table.c and subject.client_id:
        found.append(select(table.c.id).where(table.c.client_id == subject.client_id))
    if "object_kind" in table.c:
        found += [
            select(table.c.id).where(table.c.object_kind == kind, table.c.object_id.in_(ids))
            for kind, ids in (("contact", subject.people), ("client", (subject.client_id,)))
            if any(ids)
        ]
    # Each by its own index: of an OR the planner makes a walk through everything not in the bin.
    return table.c.id.in_(union_all(*found).subquery().select()) if found else None


def objects_about(
    reader: Reader, noun: Noun, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    mine = about(noun, subject)
    if mine is None or not reader.viewer.may(noun.kind.read):
        return []
    table = noun.table
    # A meeting stands where it was held, everything else where it was made.
    at = table.c["at"] if noun.kind.name == "meeting" else table.c.created_at
    rows = reader.conn.execute(
        select(table, at.label("stands_at"))
        .where(
            mine,
            unindexed(table.c.deleted_at) == 0,
            objects.visible(reader.viewer, noun),
            tuple_(at, table.c.id) < tuple_(*key),
        )
        .order_by(at.desc(), table.c.id.desc())
        .limit(limit)
    )
    return [_object_entry(noun, row) for row in rows]


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


def _moves(
    reader: Reader, noun: Noun, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    mine = about(noun, subject)
    if mine is None or not reader.viewer.may(noun.kind.read):
        return []
    table = noun.table
    owned = (
        select(table.c.id)
        .where(mine, objects.visible(reader.viewer, noun))
        .order_by(table.c.id.desc())
        .limit(MOST_OBJECTS)
    )
    ids = list(reader.conn.execute(owned).scalars())
    if not ids:
        return []
    rows = reader.conn.execute(
        select(
            changes,
            journal.c.at,
            users.c.name.label("user_name"),
            noun.title.label("title"),
        )
        .join(journal, journal.c.id == changes.c.event_id)
        .join(table, table.c.id == changes.c.object_id)
        .outerjoin(
            users,
            and_(users.c.id == journal.c.actor_id, journal.c.actor_kind.in_(("user", "token"))),
        )
        .where(
            changes.c.kind == noun.kind.name,
            changes.c.object_id.in_(ids),
            changes.c.field.in_(MOVES),
            tuple_(journal.c.at, changes.c.event_id) < tuple_(*key),
        )
        .order_by(journal.c.at.desc(), changes.c.event_id.desc())
        .limit(limit)
    )
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
        for row in rows
    ]
