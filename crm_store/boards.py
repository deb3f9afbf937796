"""What a board asks of the store: counts and sums of every column, and enquiries without verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, func, select

from crm_store import objects
from crm_store.nouns import NOUNS, Noun
from crm_store.objects import ObjectQuery
from crm_store.sql import written
from crm_store.sums import sum_of
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interests
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import contacts
from crm_store.viewer import Reader, Viewer
from hub.ids import DialogId
from hub.records.interests import Money

MOST_ENQUIRIES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """How many cards a column holds, and what they are worth."""

    count: int = 0
    sums: tuple[Money, ...] = ()


def stage_heaps(reader: Reader, query: ObjectQuery) -> Mapping[int, Heap]:
    """Count and sum interests by their stage."""
    statement = objects.found(
        reader,
        NOUNS["interest"],
        query,
        select(
            interests.c.stage_id,
            interests.c.currency,
            func.count().label("count"),
            sum_of(interests.c.amount).label("amount"),
        ),
    ).group_by(interests.c.stage_id, interests.c.currency)
    heaps: dict[int, Heap] = {}
    for row in reader.conn.execute(statement.order_by(interests.c.currency)):
        had = heaps.get(row.stage_id, Heap())
        more = (Money(currency=row.currency, amount=int(row.amount)),) if row.amount else ()
        heaps[row.stage_id] = Heap(count=had.count + int(row[2]), sums=had.sums + more)
    return heaps


def heaps_by(reader: Reader, noun: Noun, name: str, query: ObjectQuery) -> Mapping[object, Heap]:
    """Count objects of a kind by one property."""
    column = noun.table.c[name]
    statement = objects.found(reader, noun, query, select(column, func.count())).group_by(column)
    return {row[0]: Heap(count=int(row[1])) for row in reader.conn.execute(statement)}


def enquiries(reader: Reader) -> list[DialogId]:
    """Give open dialogs of people who are nobody's client, about which nothing was decided yet.

    Those first in which something was said last; at most one column's first cards.
    """
    if not reader.viewer.may("dialogs.view"):
        return []
    found = reader.conn.execute(enquiring(reader.viewer.sight))
    return [DialogId(one) for one in found.scalars()]


@lru_cache(128)
def enquiring(viewer: Viewer) -> Select[Any]:
    """Make the question once for all who see the same.

    Nothing in it is a value: PostgreSQL would keep one plan for all, which begins with the people
    who are nobody's client.
    """
    linked = select(dialog_links.c.dialog_id).where(dialog_links.c.dialog_id == dialogs.c.id)
    unknown = select(contacts.c.id).where(
        contacts.c.id == dialogs.c.contact_id, contacts.c.client_id == written(0)
    )
    return (
        select(dialogs.c.id)
        .where(
            dialogs.c.is_open,
            unknown.correlate(dialogs).exists(),
            ~linked.correlate(dialogs).exists(),
            viewer.dialogs_clause(),
        )
        .order_by(dialogs.c.last_at.desc(), dialogs.c.id.desc())
        .limit(written(MOST_ENQUIRIES + 1))
    )
