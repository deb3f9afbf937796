"""What work hangs on a card: asked before a card that an import or a conversion made goes again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select, union

from crm_store.merge_pair import places_of, pointer_of
from crm_store.tables.interests import interest_people
from crm_store.tables.segments import segment_members, segments
from crm_store.unit_of_work import UnitOfWork


def in_use(
    uow: UnitOfWork,
    kind: str,
    ids: Collection[int],
    besides: Mapping[str, Collection[int]] | None = None,
) -> set[int]:
    """Give on which of these cards any object hangs, one in the bin too.

    `besides` are objects that do not count: their ids by kind.
    """
    found: set[int] = set()
    tables = places_of(kind, uow.tx.nouns)
    for noun in uow.tx.nouns.values():
        table = tables.get(noun.table.name)
        if table is None:
            continue
        column, theirs = pointer_of(table, kind)
        others = table.c.id.not_in((besides or {}).get(noun.kind.name, ()))
        statement = select(column).where(column.in_(ids), theirs, others).distinct()
        found |= {int(one) for one in uow.conn.execute(statement).scalars()}
    if kind == "contact":
        found |= _named_by_hand(uow, ids, (besides or {}).get("interest", ()))
    return found


def _named_by_hand(uow: UnitOfWork, people: Collection[int], besides: Collection[int]) -> set[int]:
    """Give who takes part in an interest, or was put into a segment by somebody."""
    takes_part = select(interest_people.c.contact_id).where(
        interest_people.c.contact_id.in_(people), interest_people.c.interest_id.not_in(besides)
    )
    chosen = (
        select(segment_members.c.contact_id)
        .join(segments, segments.c.id == segment_members.c.segment_id)
        .where(segment_members.c.contact_id.in_(people), segments.c.kind == "static")
    )
    return {int(one) for one in uow.conn.execute(union(takes_part, chosen)).scalars()}
