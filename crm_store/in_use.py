"""What work hangs on a card: asked before a card that an import or a conversion made goes again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select

from crm_store.merge_pair import places_of, pointer_of
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
    return found
