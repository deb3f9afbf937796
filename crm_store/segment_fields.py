"""The fields of segments: a person's card, what is known beyond it, and what plugins bring."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Connection,
    false,
    select,
)

from crm_store.custom import whole
from crm_store.filter_sql import QueryField
from crm_store.nouns import NOUNS, Noun
from crm_store.object_fields import query_fields
from crm_store.segment_brought import beyond_sight, brought
from crm_store.segment_facts import ABOUT, EVERYTHING, EXTRA, REASONS
from crm_store.sight import sees_all, visible
from crm_store.tables.many import many_sends
from crm_store.tables.segments import segments
from crm_store.topics import listed
from crm_store.viewer import Reader, Viewer
from hub.filters import Choice, Fields
from hub.segment_fields import SegmentField

CONTACT = NOUNS["contact"]
_MAILINGS = (
    "got_mailing",
    "failed_mailing",
    "saw_mailing",
    "clicked_mailing",
    "answered_mailing",
)
NEWEST = 200
"""How many mailings can be chosen by their titles."""


def card(conn: Connection) -> Noun:
    """Give a person's card as this organisation has it."""
    return whole(conn, CONTACT)


def fields(conn: Connection, more: Mapping[str, SegmentField]) -> Fields:
    """Give every field that a segment can ask for: the organisation's own and plugins' (`more`) too."""
    return Fields(
        (
            *card(conn).kind.fields,
            *(one for one, _ in EXTRA.values()),
            *(one.field for one in more.values()),
        )
    )


def columns(reader: Reader) -> dict[str, QueryField]:
    """Say where those fields stand in the database: of other objects only what the reader sees.

    To him a person whose request he may not see has none.
    """
    extra = {name: query for name, (_, query) in EXTRA.items()}
    extra |= {name: _seen(extra[name], reader.viewer, name) for name in narrowed(reader.viewer)}
    return {**query_fields(card(reader.conn)), **extra, **brought(reader)}


def narrowed(viewer: Viewer) -> frozenset[str]:
    """Give the fields that ask about objects of which this viewer does not see everything."""
    kinds = {
        name: NOUNS[name]
        for name in {kind for kind, _ in ABOUT.values()}
        if not (viewer.may(NOUNS[name].kind.read) and sees_all(viewer, NOUNS[name]))
    }
    return frozenset(field for field, (kind, _) in ABOUT.items() if kind in kinds)


def _seen(query: QueryField, viewer: Viewer, field: str) -> QueryField:
    kind, column = ABOUT[field]
    noun = NOUNS[kind]
    seen = visible(viewer, noun) if viewer.may(noun.kind.read) else false()
    if column is not None:
        seen = column.in_(select(noun.table.c.id).where(seen))
    return replace(query, sql=lambda subject: query.sql(subject).where(seen))


def beyond(reader: Reader, ids: Collection[int]) -> set[int]:
    """Give those of some segments that may depend on what the reader does not see: by their
    conditions, or by the segments that they are made of."""
    names = {*narrowed(reader.viewer), *beyond_sight(reader)} if ids else ()
    if not names:
        return set()
    asked = select(segments.c.id, segments.c.definition).where(segments.c.id.in_(ids))
    return {row.id for row in reader.conn.execute(asked) if _asks(row.definition or {}, names)}


def _asks(definition: Mapping[str, Any], names: Collection[str]) -> bool:
    given = json.dumps(definition.get("filter") or {})
    others = (definition.get(one) for one in ("any_of", "all_of", "not_in"))
    return any(others) or any(json.dumps(one) in given for one in names)


def with_choices(reader: Reader) -> Fields:
    """Give the same fields with what can be chosen from: states, levels, the newest mailings."""
    conn = reader.conn
    client = whole(conn, NOUNS["client"]).kind
    known = {
        "contact.client_status": client.property("status").choices,
        "contact.client_level": client.property("level").choices,
        "contact.client_abc": client.property("abc").choices[1:],
        "contact.client_xyz": client.property("xyz").choices[1:],
        **{f"contact.{name}": _mailings(conn) for name in _MAILINGS},
        "contact.agreed": _topics(conn),
        "contact.refused": _topics(conn),
        "contact.suppressed": REASONS,
        "contact.request_status": whole(conn, NOUNS["request"]).kind.property("status").choices,
        "contact.interest_status": whole(conn, NOUNS["interest"]).kind.property("status").choices,
    }
    return Fields(
        replace(one, choices=known[name]) if name in known else one
        for name, one in fields(conn, reader.segment_fields).items()
    )


def asking(conn: Connection, field: str) -> list[str]:
    """Give the names of the segments whose conditions ask for a field."""
    rows = conn.execute(
        select(segments.c.name, segments.c.definition).where(segments.c.removed_at == 0)
    )
    mark = json.dumps(field)
    return sorted(row.name for row in rows if mark in json.dumps(row.definition or {}))


def _topics(conn: Connection) -> tuple[Choice, ...]:
    everything = Choice(EVERYTHING, "Everything", {"ru": "Всё"})
    return (
        everything,
        *(Choice(one.name, one.label("en"), {"ru": one.label("ru")}) for one in listed(conn)),
    )


def _mailings(conn: Connection) -> tuple[Choice, ...]:
    rows = conn.execute(
        select(many_sends.c.mailing_id, many_sends.c.title)
        .order_by(many_sends.c.id.desc())
        .limit(NEWEST)
    )
    titles: dict[int, str] = {}
    for row in rows:
        titles.setdefault(row.mailing_id, row.title)
    return tuple(Choice(str(number), title) for number, title in titles.items())
