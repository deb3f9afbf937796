"""Everything that happened with a person or a client, in one stream, the newest first.

Nothing is stored twice: messages, acts of dialogs, objects, their changes and meetings are read
where they stand, each source by key and no further than a page, and merged. A page costs the same
however old the person is; what a role may not see is not in the stream.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, repeat
from typing import Any

from sqlalchemy import (
    Integer,
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)

from crm_store import objects
from crm_store.nouns import NOUNS
from crm_store.person_objects import (
    FIRST,
    NEWEST,
    PREVIEW,
    end,
    moves,
    objects_about,
    of_people,
    of_person,
    older,
)
from crm_store.person_objects import Subject as Subject
from crm_store.rows import among, listed
from crm_store.sql import one_of, page_key, written
from crm_store.tables.dialogs import messages
from crm_store.tables.journal import journal
from crm_store.tables.many import many_contents, many_sends, many_touches
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.users import accounts, users
from crm_store.viewer import Reader, once_a_read
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


def of_contact(reader: Reader, contact_id: ContactId) -> Subject:
    """Give one person as a subject."""
    objects.need(reader, NOUNS["contact"], contact_id)
    return of_person(reader, contact_id)


def of_client(reader: Reader, client_id: ClientId) -> Subject:
    """Give a client with its people as a subject."""
    objects.need(reader, NOUNS["client"], client_id)
    return of_card(reader, client_id)


def of_card(reader: Reader, client_id: ClientId) -> Subject:
    """Give the same of a client whose card the reader was shown already."""
    return of_people(reader, client_id)


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
    sources += objects_about(reader, wanted, subject, key, limit + 1)
    if "move" in wanted:
        sources.append(moves(reader, subject, key, limit + 1))
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
    talks = subject.talks
    channels = {row.id: row.channel for row in talks}
    said: list[TimelineEntry] = []
    acts: list[TimelineEntry] = []
    for start in range(0, len(talks), CHUNK):
        chunk = talks[start : start + CHUNK]
        full = sorted((one.at for one in (said if directions else acts)), reverse=True)[:limit]
        if len(full) == limit and full[-1] > chunk[0].last_at:
            break
        for row in _said(reader, [one.id for one in chunk], directions, wanted, key, limit):
            if row.is_act:
                acts.append(_act(row))
            else:
                said.append(_message(row, channels))
    for found in (said, acts):
        yield sorted(found, key=lambda one: (one.at, one.id), reverse=True)[:limit]


def _said(
    reader: Reader,
    ids: Sequence[int],
    directions: Sequence[str],
    wanted: frozenset[str],
    key: tuple[int, int],
    limit: int,
) -> Sequence[Any]:
    """Ask for the newest messages and acts of some dialogs."""
    dialect = reader.conn.dialect.name
    given: dict[str, Any] = {**end(key), "most": limit}
    room = _room(len(ids)) if directions else 0
    statement = _newest(dialect, room, tuple(directions), acts="act" in wanted)
    given |= zip((f"dialog_{n}" for n in range(room)), chain(ids, repeat(0)), strict=False)
    if "act" in wanted:
        given["dialogs"] = listed(dialect, ids)
    return reader.conn.execute(statement, given).all()


def _room(count: int) -> int:
    """Give for how many dialogs a question is made that so many are asked of: it is prepared sooner
    where it is one of a few."""
    return next(room for room in (1, 2, 4, 8, CHUNK) if count <= room)


@lru_cache(512)
def _newest(dialect: str, room: int, directions: tuple[str, ...], *, acts: bool) -> Any:
    parts = [_newest_messages(room, directions)] if directions else []
    if acts:
        parts.append(_shown_acts(dialect))
    return parts[0] if len(parts) == 1 else union_all(*(select(one.subquery()) for one in parts))


def _newest_messages(room: int, directions: tuple[str, ...]) -> Select[Any]:
    """Ask for the newest messages of so many dialogs: in each for its own, by its index."""
    parts = []
    for n in range(room):
        newest = (
            select(messages.c.id, messages.c.at)
            .where(
                messages.c.dialog_id == bindparam(f"dialog_{n}"),
                messages.c.deleted_at == written(0),
                one_of(messages.c.direction, directions),
                older(messages.c.at, messages.c.id),
            )
            .order_by(messages.c.at.desc(), messages.c.id.desc())
            .limit(bindparam("most"))
            .subquery()
        )
        parts.append(select(newest))
    every = union_all(*parts).subquery() if room > 1 else parts[0].subquery()
    page = (
        select(every.c.id).order_by(every.c.at.desc(), every.c.id.desc()).limit(bindparam("most"))
    )
    return (
        select(
            literal_column("0", Integer).label("is_act"),
            messages.c.id,
            messages.c.at,
            messages.c.dialog_id,
            messages.c.direction.label("word"),
            messages.c.subject,
            func.substr(messages.c.text, written(1), written(PREVIEW)).label("text"),
            messages.c.author_name,
            messages.c.status,
            messages.c.cause,
            # What only acts have; it must be a JSON value, too.
            messages.c.cause.label("data"),
            users.c.name.label("user_name"),
        )
        .outerjoin(users, and_(users.c.id == messages.c.author_id, messages.c.direction != "in"))
        .where(messages.c.id.in_(page))
    )


def _shown_acts(dialect: str) -> Select[Any]:
    actor = and_(users.c.id == journal.c.actor_id, one_of(journal.c.actor_kind, ("user", "token")))
    none = literal_column("''", String)
    return (
        select(
            literal_column("1", Integer).label("is_act"),
            journal.c.id,
            journal.c.at,
            journal.c.dialog_id,
            journal.c.type.label("word"),
            *(none.label(one) for one in ("subject", "text", "author_name", "status")),
            journal.c.cause,
            journal.c.data,
            users.c.name.label("user_name"),
        )
        .outerjoin(users, actor)
        .where(
            among(dialect, journal.c.dialog_id, "dialogs"),
            journal.c.shown,
            older(journal.c.at, journal.c.id),
        )
        .order_by(journal.c.at.desc(), journal.c.id.desc())
        .limit(bindparam("most"))
    )


_KIND_OF = {one: kind for kind, some in _DIRECTIONS.items() for one in some}


def _message(row: Any, channels: Mapping[int, str]) -> TimelineEntry:
    return TimelineEntry(
        id=row.id,
        at=Micros(row.at),
        kind=_KIND_OF[row.word],
        title=row.subject,
        text=row.text,
        who=row.user_name or row.author_name,
        dialog_id=DialogId(row.dialog_id),
        ref_kind="message",
        ref_id=row.id,
        data={
            "direction": row.word,
            "channel": channels.get(row.dialog_id, ""),
            "status": row.status,
            "cause": (row.cause or {}).get("kind", ""),
        },
    )


def _act(row: Any) -> TimelineEntry:
    return TimelineEntry(
        id=row.id,
        at=Micros(row.at),
        kind="act",
        title=row.word,
        text="",
        who=row.user_name or "",
        dialog_id=DialogId(row.dialog_id),
        ref_kind="dialog",
        ref_id=row.dialog_id,
        data={**row.data, "cause": (row.cause or {}).get("kind", "")},
    )


# -- what was sent to many -------------------------------------------------------------------


def mailings_of(
    reader: Reader, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    """Give the mailings that people got, or were kept back from: the rows of the outbox."""
    if not subject.people or not subject.mailed:
        return []
    if key == (NEWEST, NEWEST) and limit <= FIRST:
        return list(_newest_mailings(reader, subject)[:limit])
    return _read_mailings(reader, subject, key, limit)


@once_a_read
def _newest_mailings(reader: Reader, subject: Subject) -> tuple[TimelineEntry, ...]:
    return tuple(_read_mailings(reader, subject, (NEWEST, NEWEST), FIRST))


def _read_mailings(
    reader: Reader, subject: Subject, key: tuple[int, int], limit: int
) -> list[TimelineEntry]:
    dialect = reader.conn.dialect.name
    given = {"people": listed(dialect, subject.people), **end(key), "most": limit}
    return [_mailing(row) for row in reader.conn.execute(_mailings(dialect), given)]


@cache
def _mailings(dialect: str) -> Select[Any]:
    return (
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
            among(dialect, deliveries.c.contact_id, "people"),
            TO_MANY,
            older(_SENT, deliveries.c.id),
        )
        .order_by(_SENT.desc(), deliveries.c.id.desc())
        .limit(bindparam("most"))
    )


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
