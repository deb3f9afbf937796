"""The way of a person or a client until now: first touch, channels, stages, mailings, money.

Read where each of them stands, like the timeline, and only what is worth a stop on a strip.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, select

from crm_store import objects
from crm_store.nouns import NOUNS
from crm_store.objects import Of
from crm_store.person_objects import (
    MOST_OBJECTS,
    NEWEST,
    Subject,
    asked,
    objects_about,
    own,
)
from crm_store.person_timeline import mailings_of, of_client, of_contact
from crm_store.rows import among, listed
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_stays, stages
from crm_store.viewer import Reader, Viewer
from hub.ids import ClientId, ContactId, Micros
from hub.records.people import Client, JourneyStep, TimelineEntry

MOST_STOPS = 80


def journey(reader: Reader, client_id: ClientId) -> list[JourneyStep]:
    """Give the stops on a client's way: first touch, channels, sources, stages, mailings, money."""
    card = objects.one(reader, NOUNS["client"], client_id)
    return way(reader, of_client(reader, client_id), card)


def way(reader: Reader, subject: Subject, card: Client | None = None) -> list[JourneyStep]:
    """Give the same of a subject that was read already, with its client's card."""
    steps: list[JourneyStep] = []
    if card is not None:
        steps.append(JourneyStep(at=card.created_at, kind="client", word=card.status))
        if card.source:
            steps.append(JourneyStep(at=card.created_at, kind="source", word=card.source))
    return _in_order([*steps, *_stops(reader, subject)])


def journey_of_contact(reader: Reader, contact_id: ContactId) -> list[JourneyStep]:
    """Give the same of one person."""
    return way(reader, of_contact(reader, contact_id))


def _in_order(steps: list[JourneyStep]) -> list[JourneyStep]:
    return sorted(steps, key=lambda one: one.at)[:MOST_STOPS]


def _stops(reader: Reader, subject: Subject) -> list[JourneyStep]:
    steps = _first_touches(reader, subject)
    for name in ("lead", "interest", "request", "meeting"):
        if name in NOUNS:
            found = objects_about(reader, NOUNS[name], subject, (NEWEST, NEWEST), 30)
            steps += [_stop(entry) for entry in found]
    steps += _reached(reader, subject)
    for entry in mailings_of(reader, subject, (NEWEST, NEWEST), 10):
        if entry.data.get("status") not in ("suppressed", "failed"):
            steps.append(_stop(entry))
    return steps


def _first_touches(reader: Reader, subject: Subject) -> list[JourneyStep]:
    """Give the first dialog on each channel."""
    steps: list[JourneyStep] = []
    seen: set[str] = set()
    if not subject.people:
        return steps
    dialect = reader.conn.dialect.name
    given = {"people": listed(dialect, subject.people)}
    for row in reader.conn.execute(_dialogs(reader.viewer.sight, dialect), given):
        if row.channel not in seen:
            seen.add(row.channel)
            kind = "channel" if len(seen) > 1 else "first"
            steps.append(
                JourneyStep(
                    at=Micros(row.created_at),
                    kind=kind,
                    word=row.channel,
                    ref_kind="dialog",
                    ref_id=row.id,
                )
            )
    return steps


@lru_cache(512)
def _dialogs(viewer: Viewer, dialect: str) -> Select[Any]:
    return (
        select(dialogs.c.channel, dialogs.c.created_at, dialogs.c.id)
        .where(among(dialect, dialogs.c.contact_id, "people"), viewer.dialogs_clause())
        .order_by(dialogs.c.created_at)
        .limit(MOST_OBJECTS)
    )


def _reached(reader: Reader, subject: Subject) -> list[JourneyStep]:
    """Give the stages that interests came to, and how they ended."""
    noun = NOUNS["interest"]
    if not asked(reader, noun, subject):
        return []
    dialect = reader.conn.dialect.name
    given, viewer, of = subject.given(reader), reader.viewer.sight, Of(noun.table, noun)
    steps = [
        JourneyStep(
            at=Micros(row.entered_at),
            kind="stage",
            word=row.name,
            ref_kind="interest",
            ref_id=row.interest_id,
        )
        for row in reader.conn.execute(_stages(viewer, dialect, of), given)
    ]
    return steps + [
        JourneyStep(
            at=Micros(row.closed_at),
            kind=row.status,
            word=row.title,
            amount=row.amount if row.status == "won" else 0,
            currency=row.currency if row.status == "won" else "",
            ref_kind="interest",
            ref_id=row.id,
        )
        for row in reader.conn.execute(_closed(viewer, dialect, of), given)
    ]


@lru_cache(512)
def _stages(viewer: Viewer, dialect: str, of: Of) -> Select[Any]:
    table = of.table
    return (
        select(interest_stays.c.entered_at, interest_stays.c.interest_id, stages.c.name)
        .join(table, table.c.id == interest_stays.c.interest_id)
        .join(stages, stages.c.id == interest_stays.c.stage_id)
        # Where an interest began is told by its own stop.
        .where(
            own(viewer, dialect, of),
            interest_stays.c.passed.is_(False),
            interest_stays.c.entered_at > table.c.created_at,
        )
        .order_by(interest_stays.c.entered_at.desc())
        .limit(40)
    )


@lru_cache(512)
def _closed(viewer: Viewer, dialect: str, of: Of) -> Select[Any]:
    table = of.table
    closed = select(table).where(own(viewer, dialect, of), table.c.closed_at > 0)
    return closed.order_by(table.c.closed_at.desc()).limit(20)


def _stop(entry: TimelineEntry) -> JourneyStep:
    amount = entry.data.get("amount", 0)
    return JourneyStep(
        at=entry.at,
        kind=entry.kind,
        word=entry.title,
        amount=amount if isinstance(amount, int) else 0,
        currency=str(entry.data.get("currency", "")),
        ref_kind=entry.ref_kind,
        ref_id=entry.ref_id,
    )
