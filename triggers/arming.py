"""Arming what does not wait for a fact: schedules, and the dates of cards that are there already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select

from crm_store import custom
from crm_store.nouns import Noun
from crm_store.objects import objects_by_id
from crm_store.tables.rules import rule_timers
from crm_store.viewer import Reader
from triggers.book import Book
from triggers.fields import of_card
from triggers.plans import Arm
from triggers.timers import date_timer, schedule_timer

PART = 500


def schedules_to_arm(reader: Reader, book: Book) -> list[Arm]:
    """Give the schedules that do not wait yet."""
    entries = book.timed.get("schedule", ())
    if not entries:
        return []
    rows = reader.conn.execute(
        select(rule_timers.c.rule_id, rule_timers.c.slot).where(
            rule_timers.c.rule_id.in_([one.compiled.rule.id for one in entries]),
            rule_timers.c.kind == "schedule",
        )
    )
    waiting = {(row.rule_id, row.slot) for row in rows}
    found = [schedule_timer(one, reader.now) for one in entries]
    return [Arm(timer=one) for one in found if (one.rule_id, one.slot) not in waiting]


def dates_to_arm(
    reader: Reader, book: Book, after: tuple[int, int]
) -> tuple[list[Arm], tuple[int, int] | None]:
    """Give the timers of a part of the cards with a date, and where the next part begins.

    `after` is (number of the entry, last id). Slots that wait already for this version are left.
    """
    entries = book.timed.get("date", [])
    number, last = after
    if number >= len(entries):
        return [], None
    entry = entries[number]
    kind, name = of_card(entry.when.field)
    noun = reader.nouns.get(kind)
    dated = _column(reader, noun, name) if noun is not None else None
    if noun is None or dated is None:
        return [], (number + 1, 0)
    table = noun.table
    ids = list(
        reader.conn.execute(
            select(table.c.id)
            .where(table.c.id > last, dated > 0, table.c.deleted_at == 0)
            .order_by(table.c.id)
            .limit(PART)
        ).scalars()
    )
    following = (number, ids[-1]) if len(ids) == PART else (number + 1, 0)
    slots = [f"{kind}{one}:date:{entry.number}" for one in ids]
    armed = set(
        reader.conn.execute(
            select(rule_timers.c.slot).where(
                rule_timers.c.rule_id == entry.compiled.rule.id,
                rule_timers.c.version == entry.compiled.rule.version,
                rule_timers.c.slot.in_(slots),
            )
        ).scalars()
    )
    found = [
        Arm(timer=timer)
        for record in objects_by_id(reader, noun, ids).values()
        if (timer := date_timer(entry, record, reader.now)) is not None
        and timer.due_at
        and timer.slot not in armed
    ]
    return found, following


def _column(reader: Reader, noun: Noun, name: str) -> ColumnElement[Any] | None:
    """Give where a date of a kind stands: a column, or the rows of a custom field."""
    if not name.startswith(custom.PREFIX):
        return noun.table.c.get(name)
    noun = custom.whole(reader.conn, noun)
    known = [one for one in noun.kind.properties if one.name == name]
    return custom.expression(noun, known[0], noun.table.c.id) if known else None
