"""What belongs to an object: a client's leads, a request's parts, the tasks about anything."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select

from crm_store.nouns import Noun
from crm_store.objects import Of, objects_by_id
from crm_store.sight import visible
from crm_store.sql import owned, unindexed, written
from crm_store.viewer import Reader, Viewer

MOST = 50


def belongings(reader: Reader, noun: Noun, **owner: object) -> list[Any]:
    """Give the newest objects whose columns name an owner, of what the reader sees and is not in the bin.

    Begins with what is the owner's, not with the list's order, which would be walked to its end.
    """
    if not reader.viewer.may(noun.kind.read):
        return []
    dialect = reader.conn.dialect.name
    statement = _belongings(reader.viewer.sight, Of(noun.table, noun), dialect, tuple(owner))
    ids = list(reader.conn.execute(statement, owner).scalars())
    found = objects_by_id(reader, noun, ids)
    return [found[one] for one in ids if one in found]


@lru_cache(512)
def _belongings(viewer: Viewer, of: Of, dialect: str, names: tuple[str, ...]) -> Select[Any]:
    table = of.table
    named = [
        owned(dialect, column, column == bindparam(column.name))
        if isinstance(column.type, Integer)
        else column == bindparam(column.name)
        for column in (table.c[name] for name in names)
    ]
    kept = (unindexed(table.c.deleted_at) == 0) & visible(viewer, of.noun)
    return select(table.c.id).where(*named, kept).order_by(table.c.id.desc()).limit(written(MOST))
