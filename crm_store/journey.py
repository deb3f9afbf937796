"""The way of a person or a client until now: first touch, channels, stages, mailings, money.

Read where each of them stands, like the timeline, and only what is worth a stop on a strip.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, CompoundSelect, String, literal_column, select, union_all

from crm_store import objects
from crm_store.nouns import NOUNS
from crm_store.person_objects import NEWEST, Subject, asked, objects_about
from crm_store.person_timeline import mailings_of, of_card, of_contact
from crm_store.rows import among, listed
from crm_store.sql import unindexed, written
from crm_store.tables.interests import interest_stays, interests, stages
from crm_store.viewer import Reader
from hub.ids import ClientId, ContactId, Micros
from hub.records.people import Client, JourneyStep, TimelineEntry

MOST_OF_A_KIND = 30
MOST_STOPS = 80


def journey(reader: Reader, client_id: ClientId) -> list[JourneyStep]:
    """Give the stops on a client's way: first touch, channels, sources, stages, mailings, money."""
    card = objects.one(reader, NOUNS["client"], client_id)
    return way(reader, of_card(reader, client_id), card)


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
    steps = _first_touches(subject)
    made = ("lead", "interest", "request", "meeting")
    for found in objects_about(reader, made, subject, (NEWEST, NEWEST), MOST_OF_A_KIND):
        steps += [_stop(entry) for entry in found]
    steps += _reached(reader, subject)
    for entry in mailings_of(reader, subject, (NEWEST, NEWEST), 10):
        if entry.data.get("status") not in ("suppressed", "failed"):
            steps.append(_stop(entry))
    return steps


def _first_touches(subject: Subject) -> list[JourneyStep]:
    """Give the first dialog on each channel."""
    steps: list[JourneyStep] = []
    seen: set[str] = set()
    for row in sorted(subject.talks, key=lambda one: one.created_at):
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


def _reached(reader: Reader, subject: Subject) -> list[JourneyStep]:
    """Give the stages that interests came to, and how they ended."""
    if not asked(reader, "interest", subject):
        return []
    dialect = reader.conn.dialect.name
    given = {"interests": listed(dialect, subject.objects["interest"])}
    return [
        JourneyStep(
            at=Micros(row.at),
            kind=row.kind,
            word=row.word,
            amount=row.amount if row.kind == "won" else 0,
            currency=row.currency if row.kind == "won" else "",
            ref_kind="interest",
            ref_id=row.id,
        )
        for row in reader.conn.execute(_stages_and_ends(dialect), given)
    ]


@cache
def _stages_and_ends(dialect: str) -> CompoundSelect[Any]:
    mine = (among(dialect, interests.c.id, "interests"), unindexed(interests.c.deleted_at) == 0)
    kind, none = literal_column("'stage'", String), literal_column("''", String)
    passed = (
        select(
            interest_stays.c.entered_at.label("at"),
            interests.c.id,
            kind.label("kind"),
            stages.c.name.label("word"),
            literal_column("0", BigInteger).label("amount"),
            none.label("currency"),
        )
        .join(interests, interests.c.id == interest_stays.c.interest_id)
        .join(stages, stages.c.id == interest_stays.c.stage_id)
        # Where an interest began is told by its own stop.
        .where(
            *mine,
            interest_stays.c.passed.is_(False),
            interest_stays.c.entered_at > interests.c.created_at,
        )
        .order_by(interest_stays.c.entered_at.desc())
        .limit(written(40))
    )
    ended = (
        select(
            interests.c.closed_at.label("at"),
            interests.c.id,
            interests.c.status.label("kind"),
            interests.c.title.label("word"),
            interests.c.amount,
            interests.c.currency,
        )
        .where(*mine, interests.c.closed_at > 0)
        .order_by(interests.c.closed_at.desc())
        .limit(written(20))
    )
    return union_all(select(passed.subquery()), select(ended.subquery()))


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
